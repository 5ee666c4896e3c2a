"""What a Celery worker says to its broker and result backend on its own account.

Two of three spans of a stock prefork worker are that: heartbeats, events, unacknowledged messages,
each a trace of its own with one span in it.
"""

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.semconv.attributes.code_attributes import CODE_FILE_PATH
from opentelemetry.trace import SpanKind

from hotspan_instrumentation.guard import guarded

_DATABASE_ATTRIBUTES = ("db.system.name", "db.system")

_runs_celery = False


def mark_process_as_celery() -> None:
    """Note that this process, and what it forks, is a worker or beat."""
    global _runs_celery  # noqa: PLW0603 - a fact about the process
    _runs_celery = True


@guarded
def is_bookkeeping(span: ReadableSpan) -> bool:
    """Whether a span is the worker's own: a call without a parent, of no line of the application.

    Redis is where brokers and results are, so every such call to it counts.
    """
    if not _runs_celery or span.parent is not None or span.kind is not SpanKind.CLIENT:
        return False
    scope = span.instrumentation_scope
    if scope is not None and scope.name.endswith(".redis"):
        return True
    attributes = span.attributes or {}
    is_database = any(name in attributes for name in _DATABASE_ATTRIBUTES)
    return is_database and CODE_FILE_PATH not in attributes
