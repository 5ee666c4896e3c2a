from collections import Counter

import pytest
from google.rpc.error_details_pb2 import RetryInfo
from pydantic import SecretStr

from hotspan_collector.ingest.writer import Outcome
from hotspan_collector.receiver.answers import RETRY_AFTER_S, key_of, response, shorten, status

KEYS = (SecretStr("first"), SecretStr("sécond"))


def test_success_says_nothing():
    """OTLP wants partial_success unset when all was stored."""
    assert response(Outcome()).SerializeToString() == b""


def test_rejections_are_counted_and_explained():
    """A sender can tell how many spans are missing, and why."""
    answer = response(Outcome(Counter({("shop", "old"): 3}))).partial_success

    assert answer.rejected_spans == 3
    assert answer.error_message.startswith("3 spans: older than the retention")


@pytest.mark.parametrize("text", ["x", "ü", "🔥"])
def test_messages_fit_into_grpc_metadata(text):
    """Twice, once percent-encoded: what is larger clients answer by dropping their spans."""
    message = shorten(text * 100_000)
    size = 3 * len(message.encode()) if text != "x" else len(message)

    assert size + len(status(14, message, retry=True).SerializeToString()) < 8_192


def test_short_messages_are_told_as_they_are():
    """Nothing is cut without need."""
    assert shorten("x" * 1_000) == "x" * 1_000


def test_long_messages_are_cut():
    """Answers stay small."""
    assert len(status(3, "x" * 100_000).SerializeToString()) < 4_096


def test_a_refusal_for_good_has_no_retry_info():
    """Senders try again when they are told when."""
    assert not status(3, "malformed").details


def test_a_refusal_for_now_says_when_to_try_again():
    """google.rpc.RetryInfo, as OTLP asks for."""
    (detail,) = status(14, "busy", retry=True).details
    info = RetryInfo()

    assert detail.Unpack(info)
    assert info.retry_delay.seconds == RETRY_AFTER_S


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        ("Bearer first", "0"),
        ("bearer first", "0"),
        ("Bearer   sécond ", "1"),
        ("Bearer third", None),
        ("Bearer firs", None),
        ("Bearer ", None),
        ("Basic first", None),
        ("first", None),
        ("", None),
    ],
)
def test_keys(authorization, expected):
    """Only a whole key, as a bearer token, opens the door."""
    assert expected == key_of(authorization, KEYS)


def test_without_keys_the_door_is_open():
    """Nothing is asked for where nothing is set."""
    assert key_of("", ()) == ""
