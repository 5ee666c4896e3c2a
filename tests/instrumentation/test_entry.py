"""Which entry a span belongs to, and what is counted for it."""

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
import weakref

import pytest
from asgiref.sync import sync_to_async
from opentelemetry import context, trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags

from hotspan_instrumentation import entry as entry_module
from hotspan_instrumentation import guard
from hotspan_instrumentation.dropped_spans import add_dropped_spans, take_dropped_spans
from hotspan_instrumentation.entry import ENTRY_SPAN_ID, EntryProcessor, current_entry, entry_of
from hotspan_instrumentation.processors import ExportProcessor

_REMOTE = trace.set_span_in_context(
    NonRecordingSpan(
        SpanContext(
            trace_id=7, span_id=8, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)
        )
    ),
    context.Context(),
)


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exporter) -> trace.Tracer:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.add_span_processor(EntryProcessor())
    return provider.get_tracer("test")


@pytest.fixture
def finished(exporter):
    def finished() -> dict[str, ReadableSpan]:
        return {span.name: span for span in exporter.get_finished_spans()}

    return finished


def _entries(spans: dict[str, ReadableSpan]) -> dict[str, str | None]:
    """The name of each span's entry."""
    names = {f"{span.context.span_id:016x}": name for name, span in spans.items()}
    return {name: names.get(span.attributes.get(ENTRY_SPAN_ID)) for name, span in spans.items()}


def test_spans_below_a_request(tracer, finished):
    """All spans below a request have it as their entry, and so has it itself."""
    with (
        tracer.start_as_current_span("request", context=_REMOTE, kind=SpanKind.SERVER),
        tracer.start_as_current_span("view"),
    ):
        tracer.start_span("query", kind=SpanKind.CLIENT).end()

    assert _entries(finished()) == {"request": "request", "view": "request", "query": "request"}


def test_entries_below_entries(tracer, finished):
    """A task in a command is an entry of its own; a server span in a request is not."""
    with tracer.start_as_current_span("command"):
        with tracer.start_as_current_span("task", kind=SpanKind.CONSUMER):
            tracer.start_span("query", kind=SpanKind.CLIENT).end()
            tracer.start_span("inner", kind=SpanKind.SERVER).end()
        tracer.start_span("after", kind=SpanKind.CLIENT).end()

    assert _entries(finished()) == {
        "command": "command",
        "task": "task",
        "query": "task",
        "inner": "task",
        "after": "command",
    }


def test_spans_of_no_entry(tracer, finished):
    """A lone call, and a part of another process's work, belong to no entry."""
    tracer.start_span("call", context=context.Context(), kind=SpanKind.CLIENT).end()
    tracer.start_span("part", context=_REMOTE, kind=SpanKind.INTERNAL).end()

    assert _entries(finished()) == {"call": None, "part": None}


def test_counters(tracer, finished):
    """What is counted anywhere below an entry is on the entry's span, and on no other."""
    with (
        tracer.start_as_current_span("request", kind=SpanKind.SERVER),
        tracer.start_as_current_span("view"),
    ):
        current_entry().add("hotspan.http.calls")
        current_entry().add_all({"hotspan.http.calls": 2, "hotspan.http.time_ms": 1.5})
        current_entry().set("hotspan.django.view", "shop.views.orders")

    spans = finished()
    counted = dict(spans["request"].attributes)
    del counted[ENTRY_SPAN_ID], counted["hotspan.cpu_ms"]
    counted.pop("hotspan.run_delay_ms", None)  # on a busy machine
    assert counted == {
        "hotspan.http.calls": 3,
        "hotspan.http.time_ms": 1.5,
        "hotspan.django.view": "shop.views.orders",
    }
    assert list(spans["view"].attributes) == [ENTRY_SPAN_ID]


def test_threads_count_together(tracer, finished):
    """Threads that work for one entry lose no count."""
    with tracer.start_as_current_span("request", kind=SpanKind.SERVER) as span:
        entry = entry_of(span)
        threads = [
            threading.Thread(target=lambda: [entry.add("calls") for _ in range(5000)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert finished()["request"].attributes["calls"] == 20_000


def test_async_work(tracer, finished):
    """Tasks of an event loop, and threads that asgiref runs for them, know their own entry."""

    def query(name):
        tracer.start_span(name, kind=SpanKind.CLIENT).end()

    async def request(number):
        with tracer.start_as_current_span(
            f"request {number}", context=context.Context(), kind=SpanKind.SERVER
        ):
            await asyncio.sleep(0.01)
            await sync_to_async(query, thread_sensitive=False)(f"query {number}")

    async def serve():
        await asyncio.gather(request(1), request(2))

    asyncio.run(serve())

    entries = _entries(finished())
    assert {name: entries[name] for name in ("query 1", "query 2")} == {
        "query 1": "request 1",
        "query 2": "request 2",
    }


def test_statements(tracer, finished, monkeypatch):
    """Statements are counted by their text; those beyond the limit are not remembered."""
    monkeypatch.setattr(entry_module, "MAX_DISTINCT_STATEMENTS", 2)
    with tracer.start_as_current_span("request", kind=SpanKind.SERVER):
        counts = [current_entry().count_query(text) for text in "abacca"]

    assert counts == [(1, 1), (2, 1), (3, 2), (4, 1), (5, 1), (6, 3)]
    assert finished()["request"].attributes["hotspan.db.distinct"] == 2


def test_repeated_statements(tracer, finished, monkeypatch):
    """An entry says how many statements came again, and names those that did most often."""
    monkeypatch.setattr(entry_module, "MAX_TOP_STATEMENTS", 2)
    monkeypatch.setattr(entry_module, "MAX_TOP_STATEMENT_CHARS", 8)
    with tracer.start_as_current_span("request", kind=SpanKind.SERVER):
        for text, times in {"SELECT 1": 1, "SELECT 2": 2, "SELECT 3, 4": 5, "SELECT 5": 3}.items():
            for _ in range(times):
                current_entry().count_query(text)

    told = finished()["request"].attributes
    assert told["hotspan.db.repeated"] == 1 + 4 + 2
    assert told["hotspan.db.top_statements"] == ("SELECT 3", "SELECT 5")
    assert told["hotspan.db.top_counts"] == (5, 3)


def test_no_statement_is_repeated(tracer, finished):
    """An entry whose statements differ names none."""
    with tracer.start_as_current_span("request", kind=SpanKind.SERVER):
        current_entry().count_query("SELECT 1")

    assert not {"hotspan.db.repeated", "hotspan.db.top_counts"} & set(
        finished()["request"].attributes
    )


def test_entries_do_not_outlive_their_spans(tracer, exporter):
    """Nothing but the spans holds an entry, and ended spans that are exported do not."""
    with tracer.start_as_current_span("request", kind=SpanKind.SERVER) as span:
        tracer.start_span("query", kind=SpanKind.CLIENT).end()
    gone = weakref.ref(span)
    del span
    gc.collect()

    assert (gone(), len(exporter.get_finished_spans())) == (None, 2)


def test_nothing_is_current_after_the_end(tracer, finished):
    """What is counted after the end of the entry has nowhere to go, and does no harm."""
    span = tracer.start_span("request", kind=SpanKind.SERVER)
    with trace.use_span(span):
        span.end()
        entry_of(span).add("late")
        after = current_entry()

    assert after is None
    assert "late" not in finished()["request"].attributes


def test_dropped_spans_are_told_by_the_next_entry(tracer, finished):
    """Spans that were lost before are on the entry that ends next, and on no other."""
    add_dropped_spans(3)
    for name in ("first", "second"):
        with tracer.start_as_current_span(name, kind=SpanKind.SERVER):
            pass

    told = {name: span.attributes.get("hotspan.spans_dropped") for name, span in finished().items()}
    assert told == {"first": 3, "second": None}


class Refusing(SpanExporter):
    def export(self, spans):
        return SpanExportResult.FAILURE


def test_lost_spans_are_counted(monkeypatch):
    """Spans that found no room in the queue, or that could not be delivered, are counted."""
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "2")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2")
    processor = ExportProcessor(Refusing())
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    take_dropped_spans()
    with processor._batch_processor._export_lock:  # nothing is sent meanwhile
        for _ in range(5):
            provider.get_tracer("test").start_span("query", kind=SpanKind.CLIENT).end()
        pushed_out = take_dropped_spans()
    provider.shutdown()

    assert (pushed_out, take_dropped_spans()) == (3, 2)


def test_cpu_time_of_a_thread(tracer, finished):
    """An entry that stays on its thread has that thread's CPU time, not that of waiting."""
    with tracer.start_as_current_span("waits", kind=SpanKind.SERVER):
        threading.Event().wait(0.1)
    with tracer.start_as_current_span("computes", kind=SpanKind.SERVER):
        sum(range(1_000_000))

    cpu_ms = {name: span.attributes["hotspan.cpu_ms"] for name, span in finished().items()}
    assert cpu_ms["waits"] < cpu_ms["computes"]


def test_wait_for_a_core(tracer, finished):
    """An entry whose thread has to share its core says how long it waited for it."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        with tracer.start_as_current_span("computes", kind=SpanKind.SERVER):
            until_s = time.thread_time() + 0.3
            while time.thread_time() < until_s:
                pass
    finally:
        os.sched_setaffinity(0, cores)
        for process in busy:
            process.kill()
            process.wait()

    told = finished()["computes"].attributes
    assert told["hotspan.run_delay_ms"] > 20


_DAEMON = """
import os
from hotspan_instrumentation.cpu_time import run_delay_ns
assert run_delay_ns() is not None
os.closerange(3, 256)
if child := os.fork():
    raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
own = open("/dev/null", "w")
told = run_delay_ns()
known = int(open(f"/proc/{os.getpid()}/schedstat").read().split()[1])
own.write("still open")
own.flush()
os._exit(0 if told <= known < told + 1e9 else 1)
"""


def test_a_forked_child_has_an_account_of_its_own():
    """The parent's wait is not taken for the child's, and files of others are left alone."""
    assert subprocess.run([sys.executable, "-c", _DAEMON], check=False).returncode == 0


def test_cpu_time_in_an_event_loop(tracer, finished):
    """Entries that share a loop at the same time have no CPU time of their own; a lone one has."""

    async def request(name):
        with tracer.start_as_current_span(name, context=context.Context(), kind=SpanKind.SERVER):
            await asyncio.sleep(0.01)

    async def serve():
        await request("alone")
        await asyncio.gather(request("first"), request("second"))

    asyncio.run(serve())

    has_cpu = {name: "hotspan.cpu_ms" in span.attributes for name, span in finished().items()}
    assert has_cpu == {"alone": True, "first": False, "second": False}


def test_errors_stay_in_the_guard(tracer, finished, monkeypatch):
    """If finding the entry fails, the span is made without it."""
    monkeypatch.setattr(entry_module, "_find", lambda *_: 1 / 0)
    tracer.start_span("request", kind=SpanKind.SERVER).end()

    failures = guard.failures.pop("hotspan_instrumentation.entry.EntryProcessor")
    assert (failures, dict(finished()["request"].attributes)) == (1, {})
