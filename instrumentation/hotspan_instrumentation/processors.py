"""What happens to a span in this process, between its start and the exporter."""

import functools
import os
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.sdk._shared_internal import BatchExportStrategy
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind

from hotspan_instrumentation import guard
from hotspan_instrumentation.bookkeeping import is_bookkeeping
from hotspan_instrumentation.call_site import CallSiteFinder
from hotspan_instrumentation.dropped_spans import add_dropped_spans
from hotspan_instrumentation.entry import SPANS_DROPPED
from hotspan_instrumentation.export_logging import quiet_export
from hotspan_instrumentation.settings import current_settings
from hotspan_instrumentation.span_attributes import add_attributes

_FRAMES_ABOVE: Final = 1  # on_start itself
_REMOTE_WORK: Final = frozenset({SpanKind.SERVER, SpanKind.CONSUMER})


@cache
def shared_finder() -> CallSiteFinder:
    """Return the finder of this process: one cache for all that ask."""
    return CallSiteFinder(application_packages=current_settings().application_packages)


class CallSiteProcessor(SpanProcessor):
    """Record which line of the application made a call to a database, a service or a cache."""

    def __init__(self, finder: CallSiteFinder) -> None:
        self.finder = finder

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        del parent_context
        if span.kind is SpanKind.CLIENT:
            try:
                site = self.finder.find(sys._getframe(_FRAMES_ABOVE))  # noqa: SLF001 - nothing else is as fast
                if site is not None:
                    add_attributes(span, site.group.attributes)
            except Exception:  # noqa: BLE001 - a guard without a call more
                guard.report_failure(f"{__name__}.{CallSiteProcessor.__qualname__}")


class ExportProcessor(BatchSpanProcessor):
    """The SDK's batch processor: without the worker's bookkeeping, and with a bounded end.

    It counts what it loses, for the next entry to tell. What a process has when its first request
    or task ends is sent at once: who has just begun with hotspan waits for that.
    """

    def __init__(self, span_exporter: SpanExporter) -> None:
        super().__init__(_counting_failures(span_exporter))
        self._settings = current_settings()
        self._has_sent_first = 0  # the process that has: a forked one has not
        self._wants_all = False
        guard.guarded(self._export_all_if_wanted)()
        quiet_export()

    def on_end(self, span: ReadableSpan) -> None:
        # Only what has no parent can be bookkeeping, and most spans have one.
        if span.parent is None and not self._settings.celery_bookkeeping and is_bookkeeping(span):
            return
        if span.context is not None and span.context.trace_flags.sampled:
            self.add(span)
            if span.kind in _REMOTE_WORK:
                self._send_first()

    def add(self, span: ReadableSpan) -> None:
        """Queue a span that is known to be wanted."""
        batch: Any = self._batch_processor
        try:
            queue = batch._queue  # noqa: SLF001 - no public way
            queued = len(queue)
            if queued < batch._max_export_batch_size and not batch._shutdown:  # noqa: SLF001 - likewise
                queue.appendleft(span)  # what the SDK does then; forks it has heard of
                if queued + 1 >= batch._max_export_batch_size:  # noqa: SLF001 - likewise
                    batch._worker_awaken.set()  # noqa: SLF001 - likewise
                return
            # The oldest span goes if the one that is about to be queued pushes it out.
            if queued >= batch._max_queue_size:  # noqa: SLF001 - likewise
                add_dropped_spans(_lost_with(queue[-1]))
        except Exception:  # noqa: BLE001 - a guard without a call more
            guard.report_failure(f"{__name__}.{ExportProcessor.__qualname__}")
        batch.emit(span)

    @guard.guarded
    def _send_first(self) -> None:
        process = os.getpid()
        if self._has_sent_first != process:
            self._has_sent_first = process
            self._wants_all = True
            self._batch_processor._worker_awaken.set()  # noqa: SLF001 - likewise

    def _export_all_if_wanted(self) -> None:
        """Have the SDK's thread, once it has been woken, send also less than a batch."""
        batch: Any = self._batch_processor
        original = batch._export  # noqa: SLF001 - likewise

        def export(strategy: BatchExportStrategy) -> None:
            if self._wants_all:
                self._wants_all = False
                strategy = BatchExportStrategy.EXPORT_ALL
            original(strategy)

        batch._export = export  # noqa: SLF001 - likewise

    def shutdown(self) -> None:
        # The SDK waits 30 s for a collector that is down: as long as gunicorn and Kubernetes do
        # before they kill. It can be told to wait less, but not by a public way.
        try:
            self._batch_processor.shutdown(timeout_millis=self._settings.flush_timeout_ms)
        except (AttributeError, TypeError):
            super().shutdown()  # type: ignore[no-untyped-call]  # upstream


def _lost_with(span: ReadableSpan) -> int:
    """Return how many spans are lost with this one: itself, and those whose loss it was to tell."""
    told: Any = (span.attributes or {}).get(SPANS_DROPPED, 0)
    return 1 + int(told)


def _counting_failures(exporter: SpanExporter) -> SpanExporter:
    """Have an exporter count the spans that it could not deliver."""
    original = exporter.export

    @functools.wraps(original)
    def export(spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = SpanExportResult.FAILURE
        try:
            result = original(spans)
        finally:
            if result is not SpanExportResult.SUCCESS:
                add_dropped_spans(sum(map(_lost_with, spans)))
        return result

    exporter.export = export  # type: ignore[method-assign]  # the rest of it stays as it is
    return exporter
