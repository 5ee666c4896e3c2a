"""Our encoding of spans is the SDK's, byte for byte where order allows, and in content always."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from hotspan_instrumentation import guard, otlp_encoding
from hotspan_instrumentation.integrations import otlp_encoding as integration
from hotspan_instrumentation.otlp_encoding import encode_request

_texts = st.text(st.characters(codec="utf-8"), max_size=300)
_numbers = st.integers(-(2**63), 2**63 - 1)
_values = st.one_of(
    *(_texts, st.booleans(), _numbers, st.floats(allow_nan=False), st.binary(max_size=200)),
    *(st.lists(_texts, max_size=3), st.lists(_numbers, max_size=3)),
)
_spans = st.fixed_dictionaries(
    {
        "name": _texts,
        "kind": st.sampled_from(SpanKind),
        "attributes": st.dictionaries(_texts.filter(bool), _values, max_size=6),
        "times": st.tuples(st.integers(1, 2**63), st.integers(1, 2**63)),
        "scope": st.sampled_from(["django", "dbapi"]),
        "remote_parent": st.booleans(),
        "status": st.sampled_from([None, StatusCode.OK, StatusCode.ERROR]),
        "events": st.lists(_texts, max_size=2),
        "linked": st.booleans(),
        "state": st.booleans(),
    }
)


def _finished(made: Mapping) -> ReadableSpan:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "shop"}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    state = TraceState([("vendor", "1")]) if made["state"] else TraceState()
    parent = SpanContext(7, 8, is_remote=True, trace_flags=TraceFlags(1), trace_state=state)
    span = provider.get_tracer(made["scope"], "1").start_span(
        made["name"],
        context=set_span_in_context(NonRecordingSpan(parent)) if made["remote_parent"] else None,
        kind=made["kind"],
        attributes=made["attributes"],
        links=[Link(parent, {"a": 1})] if made["linked"] else (),
        start_time=made["times"][0],
    )
    for event in made["events"]:
        span.add_event(event, {"text": event})
    if made["status"]:
        span.set_status(made["status"])
    span.end(made["times"][1])
    (finished,) = exporter.get_finished_spans()
    return finished


def _spans_of(request: ExportTraceServiceRequest) -> dict[bytes, tuple]:
    return {
        span.span_id: (span, scope.scope, scope.schema_url, resource.resource)
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    }


@given(st.lists(_spans, min_size=1, max_size=4))
def test_the_same_as_the_sdk(made):
    """Whatever is on spans, a collector reads the same from our bytes and the SDK's."""
    spans = [_finished(each) for each in made]

    expected = _spans_of(encode_spans(spans))
    assert _spans_of(ExportTraceServiceRequest.FromString(encode_request(spans))) == expected


USUAL = {
    "name": "SELECT",
    "kind": SpanKind.CLIENT,
    "attributes": {"db.query.text": "SELECT 1", "code.line.number": 300, "in": True},
    "times": (1, 2),
    "scope": "dbapi",
    "remote_parent": True,
    "status": None,
    "events": [],
    "linked": False,
    "state": False,
}


def test_usual_spans_have_the_same_bytes():
    """The span of a statement is the SDK's, byte for byte."""
    spans = [_finished(USUAL)]

    assert encode_request(spans) == encode_spans(spans).SerializeToString()


def test_numbers_and_booleans_are_told_apart():
    """1 and True are equal and hash alike in Python; remembered, they stay what they are."""
    spans = [_finished({**USUAL, "attributes": {"a": value}}) for value in (1, True, 1)]
    encode_request(spans)

    assert encode_request(spans[1:2]) == encode_spans(spans[1:2]).SerializeToString()


def test_what_is_remembered_is_bounded(monkeypatch):
    """Ever new values do not fill the memory."""
    monkeypatch.setattr(otlp_encoding, "_MAX_REMEMBERED", 10)
    for number in range(30):
        made = {**USUAL, "name": f"{number}", "attributes": {f"{number}": number}}
        encode_request([_finished(made)])

    remembered = (otlp_encoding._attributes, otlp_encoding._names, otlp_encoding._keys)
    assert max(map(len, remembered)) <= 10


@pytest.fixture
def exporter_module(monkeypatch):
    """The module of the HTTP exporter, whose encoding is ours until the test ends."""
    monkeypatch.setattr(trace_exporter, "encode_spans", encode_spans)
    integration.install_http(trace_exporter)
    return trace_exporter


def test_the_exporter_sends_our_bytes(exporter_module):
    """What the exporter asks for is there."""
    spans = [_finished(USUAL)]

    sent = exporter_module.encode_spans(spans).SerializePartialToString()
    assert sent == encode_spans(spans).SerializeToString()


def test_errors_of_ours_leave_the_sdk_s(exporter_module, monkeypatch):
    """Spans that ours fails to encode are encoded by the SDK."""
    monkeypatch.setattr(otlp_encoding, "_IDS", None)
    spans = [_finished(USUAL)]

    sent = exporter_module.encode_spans(spans).SerializePartialToString()
    failures = guard.failures.pop(
        "hotspan_instrumentation.integrations.otlp_encoding._encoding.<locals>.encode"
    )
    assert (failures, sent) == (1, encode_spans(spans).SerializeToString())


def test_grpc_gets_a_message():
    """Over gRPC a message is sent; ours is one."""

    class Exporter:
        encode_spans = staticmethod(encode_spans)

    integration.install_grpc(Exporter)
    spans = [_finished(USUAL)]

    assert Exporter.encode_spans(spans) == encode_spans(spans)
