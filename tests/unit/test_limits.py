"""What a request may hold."""

import time

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from hotspan_collector.errors import MalformedRequestError, RequestTooLargeError
from hotspan_collector.ingest.limits import Checked, RequestLimits, check
from hotspan_collector.ingest.otlp import PIECE_BYTES, parse, spans_of
from hotspan_collector.ingest.wire import field
from support.otlp_requests import request, span

MIB = 1024 * 1024
LIMITS = RequestLimits(
    max_spans=10_000, max_attributes=50_000, max_attribute_bytes=2 * MIB, max_span_bytes=4 * MIB
)


def one(name: str = "a", **attributes: object):
    return span(
        name,
        trace_id="01" * 16,
        span_id="02" * 8,
        start_ns=time.time_ns(),
        attributes=attributes,
    )


def names(checked: Checked) -> list[str]:
    return [each.name for each in spans_of(parse(checked.body))]


def test_requests_within_the_limits_are_left_alone():
    """Large ones are looked at in pieces, and come to the same."""
    body = b"".join(
        request([one("a", text="x" * 300_000), one("b")], service=service)
        for service in ("first", "second", "first", "third", "third")
    )

    assert len(body) > PIECE_BYTES
    assert check(body, LIMITS) == Checked(body, {"first": 4, "second": 2, "third": 4})


@pytest.mark.parametrize("length", [1, 5_000])
def test_spans_are_counted_by_service(length):
    """However much a process says of itself, and however often."""
    processes = [("first", 1), ("second", 1), ("first", 2), ("second", 1)]
    body = b"".join(
        request([one(), one()], service=service, resource={"process.pid": pid, "x": "x" * length})
        for service, pid in processes
    )

    assert check(body, LIMITS).census == {"first": 4, "second": 4}


def test_a_span_with_a_large_attribute_is_taken_out():
    """The others of the request are kept, and the loss is counted by service."""
    spans = [one("a"), one("large", text="x" * (2 * MIB + 1)), one("b")]
    body = request(spans, service="shop") + request([one("c")], service="other")

    checked = check(body, LIMITS)

    assert names(checked) == ["a", "b", "c"]
    assert checked.census == {"shop": 2, "other": 1}
    assert checked.losses == {("shop", "attribute_size"): 1}


def test_a_large_span_is_taken_out():
    """Many attributes may be too much together."""
    large = one("large", **{f"text{number}": "x" * MIB for number in range(5)})

    checked = check(request([large, one("a")]), LIMITS)

    assert names(checked) == ["a"]
    assert checked.losses == {("shop", "span_size"): 1}


def test_a_megabyte_of_statement_is_fine():
    """Statements may be long."""
    body = request([one("a", **{"db.query.text": "x" * (2 * MIB - 100)})])

    assert check(body, LIMITS) == Checked(body, {"shop": 1})


def _in_a_span(content: bytes) -> bytes:
    return field(1, field(2, field(2, content)))


EMPTY = {
    "spans": field(1, field(2, field(2, b"") * 600_000)),
    "few spans": field(1, field(2, field(2, b"") * 20_000)),
    "attributes": _in_a_span(field(9, b"") * 600_000),
    "events": _in_a_span(field(11, b"") * 600_000),
    "attributes of events": _in_a_span(field(11, field(3, b"") * 600_000)),
    "scopes": field(1, field(2, b"") * 600_000),
    "resources": field(1, b"") * 600_000,
    "resource": field(1, field(1, field(1, b"") * 2_000_000)),
    "unknown": field(9, b"") * 600_000,
}


@pytest.mark.parametrize("body", EMPTY.values(), ids=EMPTY.keys())
def test_nothing_said_very_often_is_too_large(body):
    """Two bytes to send are hundreds in memory."""
    with pytest.raises(RequestTooLargeError, match="HOTSPAN_MAX_"):
        check(body, LIMITS)


NO_OTLP = {
    "zeros": bytes(3 * MIB),
    "numbers": b"\x18\x00" * MIB,
    "cut short": request([one(text="x" * 1_500_000)])[:-7],
    "no UTF-8": request([one(text="x" * 1_500_000)]).replace(b"xxx", b"x\xffx"),
    "endless number": b"\xff" * (2 * MIB),
}


@pytest.mark.parametrize("body", NO_OTLP.values(), ids=NO_OTLP.keys())
def test_large_garbage_is_refused(body):
    """As small garbage is."""
    with pytest.raises(MalformedRequestError):
        check(body, LIMITS)


@pytest.mark.parametrize("padding", [0, 1_500_000], ids=["small", "large"])
def test_text_that_is_not_utf8_is_found(padding):
    """The refusal says which text of which span."""
    spans = [one("a", text="x" * padding), one("b", first=1, second="stränge")]
    body = request(spans).replace("ä".encode(), b"\xff\xff")

    with pytest.raises(
        MalformedRequestError, match=r"spans\[\d\]\.attributes\[1\]\.value\.string_value is not"
    ):
        check(body, LIMITS)


def test_an_empty_request_is_fine():
    """There is nothing in it."""
    assert check(ExportTraceServiceRequest().SerializeToString(), LIMITS) == Checked(b"", {})
