import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from hotspan_collector.errors import MalformedRequestError
from hotspan_collector.ingest.otlp import census_of, parse, spans_of
from hotspan_collector.ingest.otlp_json import protobuf_from_json

TRACE_ID = "5b8efff798038103d269b633813fc60c"
SPAN_ID = "eee19b7ec3c1b174"


def document(**span) -> bytes:
    values = {"traceId": TRACE_ID, "spanId": SPAN_ID, "name": "a", **span}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [values]}]}]}).encode()


def read(body: bytes) -> Span:
    (span,) = spans_of(parse(protobuf_from_json(body)))
    return span


@pytest.mark.parametrize("write", [str.lower, str.upper, str.title])
def test_ids_are_hex_of_any_case(write):
    """Not base64, as protobuf's own JSON would have it."""
    span = read(
        document(traceId=write(TRACE_ID), spanId=write(SPAN_ID), parentSpanId=write(SPAN_ID))
    )

    assert span.trace_id.hex() == TRACE_ID
    assert span.span_id.hex() == SPAN_ID
    assert span.parent_span_id.hex() == SPAN_ID


def test_ids_of_links_are_hex():
    """Wherever a span is named."""
    span = read(document(links=[{"traceId": TRACE_ID, "spanId": SPAN_ID}]))

    assert span.links[0].trace_id.hex() == TRACE_ID
    assert span.links[0].span_id.hex() == SPAN_ID


@pytest.mark.parametrize("value", [1_544_712_660_300_000_000, "1544712660300000000"])
def test_long_integers_are_numbers_or_text(value):
    """JavaScript cannot count so far, so both are sent."""
    span = read(document(startTimeUnixNano=value))

    assert span.start_time_unix_nano == 1_544_712_660_300_000_000


def test_unknown_fields_are_ignored():
    """A sender may be newer than we are."""
    span = read(document(kind=2, colour="red", attributes=[{"key": "a", "shade": 3}]))

    assert (span.name, span.kind) == ("a", Span.SPAN_KIND_SERVER)


def test_attribute_values_keep_their_type():
    """Bytes are base64; integers may be text."""
    attributes = [
        {"key": "text", "value": {"stringValue": "deadbeef"}},
        {"key": "int", "value": {"intValue": "9223372036854775807"}},
        {"key": "bool", "value": {"boolValue": False}},
        {"key": "double", "value": {"doubleValue": 0.5}},
        {"key": "bytes", "value": {"bytesValue": base64.b64encode(b"\x00\xff").decode()}},
        {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": "x"}]}}},
    ]

    values = {item.key: item.value for item in read(document(attributes=attributes)).attributes}

    assert values["text"].string_value == "deadbeef"
    assert values["int"].int_value == 2**63 - 1
    assert values["bool"].WhichOneof("value") == "bool_value"
    assert values["double"].double_value == 0.5
    assert values["bytes"].bytes_value == b"\x00\xff"
    assert values["list"].array_value.values[0].string_value == "x"


def test_attributes_named_like_ids_are_left_alone():
    """Only the ids of spans and links are hex."""
    inner = {"kvlistValue": {"values": [{"key": "spanId", "value": {"stringValue": "xyz"}}]}}

    span = read(document(attributes=[{"key": "traceId", "value": inner}]))

    assert span.attributes[0].value.kvlist_value.values[0].value.string_value == "xyz"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"3",
        b'"text"',
        b"\xff\xfe",
        b'{"resourceSpans": 3}',
        b'{"resourceSpans": [3]}',
        b'{"resourceSpans": {"scopeSpans": []}}',
        document(traceId="not hex"),
        document(traceId=3),
        document(startTimeUnixNano=-1),
        document(startTimeUnixNano=2**64),
        document(startTimeUnixNano=1.5),
        document(name=3),
        document(name="\ud800"),
        b"[" * 100_000,
    ],
)
def test_what_is_not_otlp_is_refused(body):
    """Whatever comes, the answer is a refusal, not a failure of ours."""
    with pytest.raises(MalformedRequestError):
        protobuf_from_json(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "resourceSpans",
                        "scopeSpans",
                        "spans",
                        "traceId",
                        "value",
                        "spanId",
                        "attributes",
                        "name",
                        "links",
                        "kind",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_taken_or_refused(value):
    """No JSON makes the receiver fail."""
    try:
        protobuf_from_json(json.dumps(value).encode())
    except MalformedRequestError:
        return


@given(st.binary(max_size=200))
def test_any_bytes_are_taken_or_refused(body):
    """No bytes make the receiver fail."""
    try:
        census_of(body)
    except MalformedRequestError:
        return


def test_text_that_is_not_utf8_is_refused():
    """It could not be stored as it came."""
    with pytest.raises(MalformedRequestError, match="UTF-8"):
        parse(b"\x0a\x07\x12\x05\x12\x03\x2a\x01\xff")


def test_joined_requests_are_one_request():
    """What group commit rests on."""
    one = protobuf_from_json(document())

    assert sum(census_of(one + one + b"").values()) == 2
