"""Which spans of a Celery process are the worker's own."""

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.trace import SpanKind, set_span_in_context

from hotspan_instrumentation import bookkeeping

QUERY = {"db.system.name": "postgresql"}
FROM_THE_APPLICATION = {"code.file.path": "/srv/shop/tasks.py"}


def _span(scope="redis", *, kind=SpanKind.CLIENT, attributes=None, with_parent=False):
    tracer = TracerProvider().get_tracer(f"opentelemetry.instrumentation.{scope}")
    parent = set_span_in_context(tracer.start_span("parent")) if with_parent else Context()
    span = tracer.start_span("call", context=parent, kind=kind, attributes=attributes)
    span.end()
    assert isinstance(span, ReadableSpan)
    return span


@pytest.fixture
def in_celery(monkeypatch):
    monkeypatch.setattr(bookkeeping, "_runs_celery", False)
    bookkeeping.mark_process_as_celery()


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (_span(), True),
        (_span(with_parent=True), False),
        (_span(kind=SpanKind.PRODUCER), False),
        (_span("requests"), False),
        (_span("psycopg", attributes=QUERY), True),
        (_span("psycopg", attributes=QUERY | FROM_THE_APPLICATION), False),
    ],
    ids=["redis", "in a task", "publishing", "http", "database broker", "query of the application"],
)
def test_what_is_bookkeeping(in_celery, span, expected):
    """Calls without a parent are: those to Redis, and queries that no line of the project made."""
    assert bookkeeping.is_bookkeeping(span) is expected


def test_other_processes_keep_theirs(monkeypatch):
    """A web process may talk to Redis outside of requests."""
    monkeypatch.setattr(bookkeeping, "_runs_celery", False)

    assert bookkeeping.is_bookkeeping(_span()) is False
