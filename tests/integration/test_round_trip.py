"""What the API returns of a span is what was sent, whatever that was."""

import base64
import math
import secrets

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    InstrumentationScope,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from hotspan_collector.api.trace import read_span
from hotspan_collector.settings import Settings
from support.otlp_requests import now_ns, request, span

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
DENIED = [name.strip("*") for name in Settings().redact_attributes]
KEYS = TEXT.map(lambda text: f"_{text}").filter(
    lambda key: not any(name in key.lower() for name in DENIED)
)
# Shrinking a failure takes minutes: each attempt is an insert.
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
STATUSES = ("unset", "ok", "error")

scalars = st.one_of(
    st.builds(AnyValue),
    st.builds(AnyValue, string_value=TEXT),
    st.builds(AnyValue, bool_value=st.booleans()),
    st.builds(AnyValue, int_value=st.integers(-(2**63), 2**63 - 1)),
    st.builds(AnyValue, double_value=st.floats()),
    # Hypothesis tries constants of the sources, too: bytes that read like what was redacted are.
    st.builds(AnyValue, bytes_value=st.binary(max_size=20).filter(lambda b: b != b"[redacted]")),
)


def _nested(values):
    pairs = st.builds(KeyValue, key=KEYS, value=values)
    return st.one_of(
        st.builds(
            AnyValue,
            array_value=st.builds(ArrayValue, values=st.lists(values, max_size=3)),
        ),
        st.builds(
            AnyValue,
            kvlist_value=st.builds(KeyValueList, values=st.lists(pairs, max_size=3)),
        ),
    )


any_values = st.recursive(scalars, _nested, max_leaves=6)
attributes = st.lists(st.builds(KeyValue, key=KEYS, value=any_values), max_size=5)
counts = st.integers(0, 2**32 - 1)
ids = st.binary(min_size=8, max_size=8)
spans = st.builds(
    Span,
    trace_id=st.just(b"\x01" * 16),
    span_id=ids.filter(any),
    parent_span_id=ids,
    trace_state=TEXT,
    flags=counts,
    name=TEXT,
    kind=st.integers(0, 5),
    start_time_unix_nano=st.just(now_ns()),
    end_time_unix_nano=st.integers(0, 10**9).map(lambda duration: now_ns() + duration),
    attributes=attributes,
    dropped_attributes_count=counts,
    events=st.lists(
        st.builds(
            Span.Event,
            name=TEXT,
            time_unix_nano=st.integers(0, 10**9).map(lambda after: now_ns() + after),
            attributes=attributes,
        ),
        max_size=2,
    ),
    dropped_events_count=counts,
    links=st.lists(
        st.builds(
            Span.Link,
            trace_id=st.binary(min_size=16, max_size=16),
            span_id=ids,
            trace_state=TEXT,
            attributes=attributes,
        ),
        max_size=2,
    ),
    dropped_links_count=counts,
    status=st.builds(Status, code=st.integers(0, 2), message=TEXT),
)


def plain(value: AnyValue) -> object:  # noqa: PLR0911 (a member a type)
    """Return a value as the API's JSON has it."""
    match value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [plain(each) for each in value.array_value.values]
        case "kvlist_value":
            return mapping(value.kvlist_value.values)
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case "double_value" if math.isnan(value.double_value):
            return "NaN"
        case "double_value" if math.isinf(value.double_value):
            return "Infinity" if value.double_value > 0 else "-Infinity"
        case member:
            return getattr(value, member)


def mapping(pairs) -> dict[str, object]:
    """Return attributes as the API's JSON has them; the last of a name counts."""
    return {each.key: plain(each.value) for each in pairs}


def expected(sent: Span) -> dict[str, object]:
    return {
        "parent_span_id": sent.parent_span_id.hex() if any(sent.parent_span_id) else None,
        "name": sent.name,
        "kind": KINDS[sent.kind],
        "status": STATUSES[sent.status.code],
        "status_message": sent.status.message,
        "trace_state": sent.trace_state,
        "flags": sent.flags,
        "duration_us": (sent.end_time_unix_nano - sent.start_time_unix_nano) / 1000,
        "attributes": mapping(sent.attributes),
        "dropped_attributes": sent.dropped_attributes_count,
        "events": [(each.name, mapping(each.attributes)) for each in sent.events],
        "dropped_events": sent.dropped_events_count,
        "links": [
            (each.trace_id.hex(), each.span_id.hex(), each.trace_state, mapping(each.attributes))
            for each in sent.links
        ],
        "dropped_links": sent.dropped_links_count,
    }


def returned(store, trace_id: str, span_id: str) -> dict[str, object]:
    found = read_span(store, trace_id=trace_id, span_id=span_id)
    links = [
        (each.trace_id, each.span_id, each.trace_state, each.attributes) for each in found.links
    ]
    same = ("parent_span_id", "name", "status_message", "trace_state", "duration_us", "attributes")
    numbers = ("flags", "dropped_attributes", "dropped_events", "dropped_links")
    return {
        **{name: getattr(found, name) for name in (*same, *numbers)},
        "kind": str(found.kind),
        "status": str(found.status),
        "events": [(each.name, each.attributes) for each in found.events],
        "links": links,
    }


@settings(
    max_examples=6,
    deadline=None,
    phases=NO_SHRINKING,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(spans, min_size=4, max_size=8, unique_by=lambda each: each.span_id),
    attributes,
    attributes,
)
def test_what_was_sent_comes_back(kept_store, sent, resource, scope):
    """Values of any type and depth, empty, unset and twice; events, links, counts and flags."""
    trace_id = secrets.token_bytes(16)
    for each in sent:
        each.trace_id = trace_id
    body = ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(
                resource=Resource(attributes=resource, dropped_attributes_count=7),
                scope_spans=[
                    ScopeSpans(
                        scope=InstrumentationScope(
                            name="it's", version="b", attributes=scope, dropped_attributes_count=8
                        ),
                        spans=sent,
                    )
                ],
            )
        ]
    )
    kept_store.insert_spans(body.SerializeToString(), token=secrets.token_hex())

    for each in sent:
        found = returned(kept_store, trace_id.hex(), each.span_id.hex())

        assert found == expected(each), MessageToDict(each)
    first = read_span(kept_store, trace_id=trace_id.hex(), span_id=sent[0].span_id.hex())
    assert first.resource == mapping(resource)
    assert (first.scope_name, first.scope_version) == ("it's", "b")
    assert first.scope == mapping(scope)
    assert (first.dropped_resource_attributes, first.dropped_scope_attributes) == (7, 8)


LARGE = {
    "1,000 attributes": {f"key-{number:04}": number for number in range(1_000)},
    "a statement of a megabyte": {"db.query.text": f"SELECT {'a, ' * 350_000}b FROM c"},
    "an attribute of a megabyte": {"text": "ü" * 500_000},
}


@pytest.mark.parametrize("sent", LARGE.values(), ids=LARGE.keys())
def test_large_spans_come_back(kept_store, sent):
    """They are stored whole."""
    trace_id = secrets.token_hex(16)
    body = request(
        [span("a", trace_id=trace_id, span_id="01" * 8, start_ns=now_ns(), attributes=sent)]
    )
    kept_store.insert_spans(body, token=secrets.token_hex())

    found = read_span(kept_store, trace_id=trace_id, span_id="01" * 8)

    assert found.attributes == sent
