"""Spans that the worker's main process makes for children that could not end theirs.

A child that is killed takes its span along: the trace would end with the publication, as if the
task still waited. The main process knows what became of it.
"""

import time
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.propagate import extract
from opentelemetry.trace import SpanKind, StatusCode

from hotspan_instrumentation.celery_attributes import (
    OUTCOME,
    SYNTHETIC,
    Message,
    attempt_attributes,
    carrier,
)

_SCOPE: Final = "hotspan_instrumentation.celery"
_STATES: Final = {
    "hard_timeout": "FAILURE",
    "lost": "FAILURE",
    "revoked": "REVOKED",
    "expired": "REVOKED",
    "rejected": "REJECTED",
}
_ERRORS: Final = frozenset({"hard_timeout", "lost", "rejected"})
_NS_PER_S: Final = 1_000_000_000
_ENDED: Final = "hotspan_ended"


def end_attempt(request: Any, outcome: str, *, error: BaseException | None = None) -> None:  # noqa: ANN401 - Celery's Request
    """Make the span of an attempt that nobody else ends; once for each request."""
    if _ENDED in request.__dict__:
        return
    request.__dict__[_ENDED] = True
    started_s = request.time_start or time.time()
    message: Message = request._context  # noqa: SLF001 - Celery has no other name for it
    attributes = attempt_attributes(request.task, message, started_s=started_s)
    if request.worker_pid is not None:
        attributes["hotspan.task.child_pid"] = request.worker_pid
    _make_span(
        message,
        name=request.name,
        outcome=outcome,
        started_ns=int(started_s * _NS_PER_S),
        attributes=attributes,
        error=error,
    )


def end_unknown(message: Any, *, name: str, error: BaseException | None) -> None:  # noqa: ANN401 - kombu's
    """Make the span of a message that no task of this worker can take."""
    _make_span(
        message.headers,
        name=name,
        outcome="rejected",
        started_ns=time.time_ns(),
        attributes={},
        error=error,
    )


def _make_span(  # noqa: PLR0913 - the parts of a span
    message: Message,
    *,
    name: str,
    outcome: str,
    started_ns: int,
    attributes: dict[str, Any],
    error: BaseException | None,
) -> None:
    span = trace.get_tracer(_SCOPE).start_span(
        f"run/{name}",
        context=extract(carrier(message)),
        kind=SpanKind.CONSUMER,
        start_time=started_ns,
        attributes={
            **attributes,
            SYNTHETIC: True,
            OUTCOME: outcome,
            # The stock names, by which an attempt and its own span are told to be one.
            "celery.action": "run",
            "celery.state": _STATES[outcome],
            "celery.task_name": name,
            "messaging.message.id": message.get("id") or "",
        },
    )
    retries = message.get("retries")
    if retries:
        span.set_attribute("celery.retries", retries)
    if error is not None:
        span.record_exception(error)
    if outcome in _ERRORS:
        span.set_status(StatusCode.ERROR, str(error) if error else outcome)
    span.end()
