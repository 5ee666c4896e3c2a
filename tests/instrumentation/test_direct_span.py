"""Spans that are made directly are those that the SDK would make; what is unusual is left to it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import (
    ConcurrentMultiSpanProcessor,
    SpanLimits,
    SpanProcessor,
    TracerProvider,
)
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags, TraceState

from hotspan_instrumentation import direct_span
from hotspan_instrumentation.attribute_group import AttributeGroup
from hotspan_instrumentation.call_site import CallSiteFinder
from hotspan_instrumentation.direct_span import DirectSpans, end_statement, start_statement
from hotspan_instrumentation.entry import EntryProcessor, entry_of
from hotspan_instrumentation.otlp_encoding import encode_request
from hotspan_instrumentation.processors import CallSiteProcessor
from hotspan_instrumentation.statement_attributes import Statement
from hotspan_instrumentation.statement_facts import StatementFacts

REMOTE = SpanContext(7, 8, is_remote=True, trace_flags=TraceFlags(3), trace_state=TraceState())


class Watching(SpanProcessor):
    """Somebody else's processor."""

    def __init__(self):
        self.seen = []

    def on_start(self, span, parent_context=None):
        self.seen.append(("start", span.name))
        span.set_attribute("tenant", "a")

    def _on_ending(self, span):
        self.seen.append(("ending", span.name))

    def on_end(self, span):
        self.seen.append(("end", span.name, span.attributes.get("tenant")))


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter):
    provider = TracerProvider(resource=Resource({"service.name": "shop"}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.add_span_processor(EntryProcessor())
    provider.add_span_processor(CallSiteProcessor(CallSiteFinder()))
    return provider


@pytest.fixture
def direct(monkeypatch):
    """How many spans have been made directly."""
    made = []
    original = DirectSpans.start
    monkeypatch.setattr(DirectSpans, "start", lambda *args: made.append(args[2]) or original(*args))
    return made


def _statement(tracer, name="SELECT", **attributes):
    statement = Statement(name, "SELECT 1", (), AttributeGroup(attributes))
    facts = StatementFacts(statement)
    return start_statement(tracer, name, facts, around=context.get_current())


def _in_request(provider, run, parent=REMOTE):
    tracer = provider.get_tracer("dbapi", "1")
    around = trace.set_span_in_context(NonRecordingSpan(parent)) if parent else None
    with tracer.start_as_current_span("GET", context=around, kind=SpanKind.SERVER):
        return run(tracer)


def _told(span):
    """All that is exported of a span but what differs from span to span."""
    attributes = {k: v for k, v in span.attributes.items() if not k.startswith("code.")}
    same = ("name", "kind", "parent", "resource", "instrumentation_scope")
    counts = ("dropped_attributes", "dropped_events", "dropped_links")
    return {
        **{name: getattr(span, name) for name in (*same, *counts)},
        "context": (span.context.trace_id, *span.context[2:]),
        "status": (span.status.status_code, span.status.description),
        "attributes": attributes,
        "events": list(span.events),
        "links": list(span.links),
    }


@pytest.mark.parametrize("parent", [REMOTE, None], ids=["continued", "root"])
def test_the_same_as_the_sdk(provider, exporter, direct, parent):
    """A directly made span has all that the SDK's has."""

    def run(tracer):
        span = _statement(tracer, text="SELECT 1")
        end_statement(span)
        tracer.start_span("SELECT", kind=SpanKind.CLIENT, attributes={"text": "SELECT 1"}).end()

    _in_request(provider, run, parent)
    made, expected, _ = exporter.get_finished_spans()

    assert direct == ["SELECT"]
    assert _told(made) == _told(expected)
    assert {name for name in vars(expected) if not hasattr(made, name)} == set()
    assert made.context.span_id != expected.context.span_id
    assert expected.start_time >= made.end_time >= made.start_time
    assert encode_request([made]) == encode_spans([made]).SerializeToString()


def test_encoded_unasked(provider, exporter, direct):
    """A span that nobody has looked at is sent with the bytes that the SDK makes of it."""

    def run(tracer):
        span = _statement(tracer, text="SELECT 1", rows=300)
        span.hotspan_facts.rows = 7
        end_statement(span)

    _in_request(provider, run)
    made, _ = exporter.get_finished_spans()
    encoded = encode_request([made])

    assert made.hotspan_made is None
    assert encoded == encode_spans([made]).SerializeToString()
    assert made.attributes["db.response.returned_rows"] == 7


def test_attributes_are_made_once(provider, direct):
    """Threads that ask for a span's attributes at the same time get the same ones, and can add."""

    def run(tracer):
        span = _statement(tracer, text="SELECT 1")
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: span.set_attribute(f"n{number}", number), range(50)))
        end_statement(span)
        return span.attributes

    attributes = _in_request(provider, run)

    assert len([name for name in attributes if name.startswith("n")]) == 50


def test_children_and_attributes(provider, exporter, direct):
    """While it is current it is a span like any: it takes attributes and has children."""

    def run(tracer):
        span = _statement(tracer)
        span.set_attribute("rows", 3)
        with trace.use_span(span):
            tracer.start_span("inner").end()
        end_statement(span)
        span.set_attribute("late", 1)
        return span, entry_of(span)

    span, entry = _in_request(provider, run)
    inner, made, request = exporter.get_finished_spans()

    assert inner.parent == made.context
    assert (made.attributes["rows"], "late" in made.attributes) == (3, False)
    assert entry.span_id == request.context.span_id
    assert not span.is_recording()


def test_events_and_ends(provider, exporter, direct):
    """A span with an event goes the SDK's way at its end; the end that is given holds."""

    def run(tracer):
        failed, timed = _statement(tracer, "failed"), _statement(tracer, "timed")
        failed.record_exception(ValueError("no"))
        end_statement(failed)
        end_statement(timed, timed.start_time + 5)
        end_statement(timed)

    _in_request(provider, run)
    failed, timed, _ = exporter.get_finished_spans()

    assert [event.name for event in failed.events] == ["exception"]
    assert timed.end_time - timed.start_time == 5


def test_other_processors_are_called(provider, direct):
    """A processor of the user's sees statements as any span, also one that is added later."""
    processors = []

    def run(tracer):
        for _ in range(2):
            processors.append(Watching())
            provider.add_span_processor(processors[-1])
            end_statement(_statement(tracer))

    _in_request(provider, run)

    once = [("start", "SELECT"), ("ending", "SELECT"), ("end", "SELECT", "a")]
    assert direct == ["SELECT"] * 2
    assert processors[0].seen[:6] == once * 2
    assert processors[1].seen[:3] == once


@pytest.mark.parametrize(
    "options",
    [
        {"sampler": ParentBased(ALWAYS_ON, local_parent_sampled=TraceIdRatioBased(1))},
        {"sampler": TraceIdRatioBased(1)},
        {"span_limits": SpanLimits(max_span_attributes=2)},
        {"span_limits": SpanLimits(max_span_attribute_length=3)},
        {"active_span_processor": ConcurrentMultiSpanProcessor(2)},
    ],
    ids=["sampler", "other-sampler", "attributes", "length", "processors"],
)
def test_what_is_unusual_is_left_to_the_sdk(exporter, direct, options):
    """With a sampler or limits of the user's, and another kind of processing, the SDK makes it."""
    provider = TracerProvider(shutdown_on_exit=False, **options)
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    def run(tracer):
        end_statement(_statement(tracer, a="text", b="text", c="text"))

    _in_request(provider, run)
    statement, _ = exporter.get_finished_spans()
    provider.shutdown()

    assert (direct, statement.name) == ([], "SELECT")


def test_what_is_not_sampled(exporter, direct):
    """Below a request that is not sampled nothing is recorded."""
    provider = TracerProvider(sampler=ParentBased(ALWAYS_OFF), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    def run(tracer):
        span = _statement(tracer)
        end_statement(span)
        return span.is_recording()

    recording = _in_request(provider, run, parent=None)

    assert (recording, direct, exporter.get_finished_spans()) == (False, [], ())


def test_an_sdk_that_we_do_not_know(provider, exporter, direct, monkeypatch):
    """If the SDK's spans have other fields than those we know, it makes them itself."""
    monkeypatch.setattr(direct_span, "_OWN_FIELDS", frozenset({"_name"}))
    _in_request(provider, lambda tracer: end_statement(_statement(tracer)))

    assert (direct, exporter.get_finished_spans()[0].name) == ([], "SELECT")


def test_a_statement_without_a_request(provider, exporter, direct):
    """A span without a parent is the SDK's."""
    tracer = provider.get_tracer("dbapi")
    end_statement(_statement(tracer))

    assert (direct, exporter.get_finished_spans()[0].parent) == ([], None)
