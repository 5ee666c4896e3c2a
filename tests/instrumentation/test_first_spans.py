"""Who has just begun need not wait: each process sends its first entry at once.

The exporter's own delay is an hour here. Gunicorn's workers are in test_gunicorn.py.
"""

import httpx
import pytest

from support.processes import free_port
from support.span_attributes import attributes

LATER_MS = {"OTEL_BSP_SCHEDULE_DELAY": "3600000", "HOTSPAN_TASK_FLUSH_MS": "0"}
QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat")


@pytest.mark.slow
def test_servers_of_several_processes(bookshop, sink):
    """Each of uvicorn's workers does."""
    port = free_port()
    server = bookshop.process(
        *("uvicorn", "bookshop.asgi:application", "--port", str(port), "--workers", "2"),
        env=LATER_MS,
    )
    server.start()
    url = f"http://127.0.0.1:{port}/process/"
    server.wait_for_url(url)
    pids: set[int] = set()
    while len(pids) < 2:
        pids.add(httpx.get(url, trust_env=False, timeout=30).json()["pid"])

    sink.wait_for_processes(pids)


@pytest.mark.parametrize("pool", ["prefork", pytest.param("threads", marks=pytest.mark.slow)])
def test_workers(bookshop, sink, pool):
    """A worker does, whose first task arrives whole."""
    bookshop.publish(1)
    bookshop.worker(*QUIET, "--concurrency", "1", "--pool", pool, env=LATER_MS)
    (task,) = sink.wait_for("run/books.tasks.buy")

    (update,) = sink.spans("UPDATE")
    assert attributes(task)["hotspan.task.outcome"] == "success"
    assert update.parent_span_id == task.span_id


@pytest.mark.slow
def test_what_comes_later_waits(bookshop, sink):
    """The exporter's delay holds for what follows."""
    _, url = bookshop.gunicorn("--workers", "1", env=LATER_MS)
    sink.wait_for("GET process/")
    for _ in range(5):
        httpx.get(f"{url}/process/", trust_env=False, timeout=30)

    assert len(sink.paths) == 1
