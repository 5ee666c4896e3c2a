"""What is added to the spans of Celery when they start, before anything else sees them.

By a span processor, because Celery's signals reach the stock instrumentor, which makes the spans,
in an order that depends on who was imported first.
"""

import sys
import time
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor
from opentelemetry.trace import SpanKind

from hotspan_instrumentation.celery_attributes import SCHEDULE, SCHEDULE_MISSED, attempt_attributes
from hotspan_instrumentation.celery_schedule import due_entry
from hotspan_instrumentation.guard import guarded

_STOCK_SCOPE: Final = "opentelemetry.instrumentation.celery"


class CeleryProcessor(SpanProcessor):
    """Record on a task's span what its message and its definition say; on a publication, why."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        del parent_context
        if span.kind is SpanKind.CONSUMER:
            _describe_attempt(span)
        elif span.kind is SpanKind.PRODUCER:
            _describe_publication(span)


@guarded
def _describe_attempt(span: Span) -> None:
    scope = span.instrumentation_scope
    celery_state = sys.modules.get("celery._state")
    if celery_state is None or scope is None or scope.name != _STOCK_SCOPE:
        return
    task = celery_state.get_current_task()
    if task is not None:
        span.set_attributes(attempt_attributes(task, task.request, started_s=time.time()))


@guarded
def _describe_publication(span: Span) -> None:
    entry = due_entry.get()
    if entry is not None:
        span.set_attribute(SCHEDULE, entry.name)
        if entry.missed_runs:
            span.set_attribute(SCHEDULE_MISSED, entry.missed_runs)
