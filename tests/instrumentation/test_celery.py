"""Celery's children end without their exit handlers; their spans arrive all the same."""

import signal
from pathlib import Path

import pytest

from support.span_tree import by_trace, span_tree

PROJECT = Path(__file__).parent / "project"

# So long that nothing but our flush sends what is queued.
NEVER_MS = {"OTEL_BSP_SCHEDULE_DELAY": "3600000"}

# What a worker of one does not need, and takes seconds for.
QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat")

TRACE = """\
producer apply_async/books.tasks.buy
  consumer run/books.tasks.buy
    client connect @ books/tasks.py:9 books.tasks.buy
    client UPDATE @ books/tasks.py:9 books.tasks.buy"""


def test_recycled_children_lose_nothing(bookshop, sink):
    """Children that end after one task each deliver every trace whole, from publisher to query."""
    bookshop.run("python", "manage.py", "stock", "--sell", "6")
    bookshop.worker(*QUIET, "--max-tasks-per-child", "1", env=NEVER_MS)
    sink.wait_for("run/books.tasks.buy", count=6)

    trees = [span_tree(trace, root=PROJECT) for trace in by_trace(sink.spans())]

    assert trees == [TRACE] * 6


def test_warm_shutdown_loses_nothing(bookshop, sink):
    """A worker that is asked to end sends the spans of the tasks it has run."""
    bookshop.publish(6)
    worker = bookshop.worker(*QUIET, env=NEVER_MS)
    bookshop.wait_until_sold(6)

    worker.signal(signal.SIGTERM)
    worker.wait()

    assert len(sink.spans("run/books.tasks.buy")) == 6


@pytest.mark.slow
def test_silent_collector_does_not_hold_the_exit(bookshop, sink):
    """A worker ends although the collector never answers."""
    bookshop.publish(2)
    sink.hold()
    worker = bookshop.worker(
        *QUIET,
        env=NEVER_MS | {"HOTSPAN_FLUSH_TIMEOUT_MS": "200", "OTEL_EXPORTER_OTLP_TIMEOUT": "3600"},
    )
    bookshop.wait_until_sold(2)

    worker.signal(signal.SIGTERM)

    assert worker.wait() == 0
    assert sink.waiting > 0


def test_bookkeeping_is_left_out(bookshop, sink, redis_url):
    """What the worker says to Redis on its own account is no trace; a task's own calls are kept."""
    roots = _redis_roots(bookshop, sink, {"BOOKSHOP_BROKER_URL": redis_url})

    assert roots == []


@pytest.mark.slow
def test_bookkeeping_can_be_asked_for(bookshop, sink, redis_url):
    """A setting brings the worker's own calls back."""
    env = {"BOOKSHOP_BROKER_URL": redis_url, "HOTSPAN_CELERY_BOOKKEEPING": "true"}

    assert _redis_roots(bookshop, sink, env) != []


def _redis_roots(bookshop, sink, env: dict[str, str]) -> list[str]:
    bookshop.run("python", "manage.py", "stock", "--sell", "1", env=env)
    worker = bookshop.worker(*QUIET, env=env)
    sink.wait_for("run/books.tasks.buy")
    worker.signal(signal.SIGTERM)
    worker.wait()
    (publisher,) = sink.spans("apply_async/books.tasks.buy")
    return [span.name for span in sink.spans() if not span.parent_span_id and span != publisher]
