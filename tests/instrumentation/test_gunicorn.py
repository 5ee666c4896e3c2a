"""gunicorn forks its workers, before or after it has loaded the application."""

import signal
from collections import Counter
from pathlib import Path

import httpx
import pytest

from support.processes import free_port
from support.span_tree import span_tree

PROJECT = Path(__file__).parent / "project"

# So long that nothing but an orderly end sends what is queued.
NEVER_MS = {"OTEL_BSP_SCHEDULE_DELAY": "3600000"}

# Which of the workers answers decides how often these come.
_IN_ANY_WORKER = frozenset({"GET process/", "connect"})

VIEWS = """\
server GET books/
  client SELECT @ books/views.py:11 books.views.books
  client SELECT @ books/views.py:12 books.views.books.<locals>.<listcomp>
  client SELECT @ books/views.py:12 books.views.books.<locals>.<listcomp>
server GET async-books/
  client SELECT @ books/views.py:19 books.views.async_books
  client SELECT @ books/views.py:20 books.views.async_books
server GET ship/
  client POST @ books/views.py:25 books.views.ship"""


def _ask_every_worker(url: str, *, workers: int = 2, attempts: int = 500) -> list[int]:
    """Return the pids that answered, one for each request made."""
    pids: list[int] = []
    while len(set(pids)) < workers and len(pids) < attempts:
        pids.append(httpx.get(f"{url}/process/", trust_env=False, timeout=30).json()["pid"])
    return pids


@pytest.mark.parametrize("options", [(), ("--preload",)], ids=["plain", "preload"])
def test_every_worker_exports(bookshop, sink, options):
    """Each worker sends all its spans, the first ones at once, under an identity of its own."""
    server, url = bookshop.gunicorn(*options, env=NEVER_MS)
    pids = _ask_every_worker(url)
    sink.wait_for_processes(set(pids))
    server.signal(signal.SIGTERM)
    server.wait()

    requests: Counter[tuple[int, str]] = Counter()
    for resource in sink.resource_spans():
        attributes = {item.key: item.value for item in resource.resource.attributes}
        identity = (
            attributes["process.pid"].int_value,
            attributes["service.instance.id"].string_value,
        )
        requests[identity] += sum(len(scope.spans) for scope in resource.scope_spans)

    assert {pid for pid, _ in requests} == set(pids)
    assert len({instance for _, instance in requests}) == 2
    assert sum(requests.values()) == len(pids) + 1  # and the one that saw the server start


def _visit(url: str, *pages: str) -> None:
    for page in pages:
        httpx.get(f"{url}/{page}/", trust_env=False, timeout=30).raise_for_status()


def test_call_sites_of_views(bookshop, sink):
    """Each call names the line that made it, or awaits what Django runs in a thread."""
    _, url = bookshop.gunicorn()
    _visit(url, "books", "async-books", "ship")
    for page in ("books", "async-books", "ship"):
        sink.wait_for(f"GET {page}/")

    spans = [span for span in sink.spans() if span.name not in _IN_ANY_WORKER]

    assert span_tree(spans, root=PROJECT) == VIEWS


def test_call_sites_under_asgi(bookshop, sink):
    """The same holds in an event loop."""
    port = free_port()
    server = bookshop.process("uvicorn", "bookshop.asgi:application", "--port", str(port))
    server.start()
    server.wait_for_url(f"http://127.0.0.1:{port}/books/")
    _visit(f"http://127.0.0.1:{port}", "async-books", "ship")
    sink.wait_for("GET ship/")

    spans = [span for span in sink.spans() if span.name not in _IN_ANY_WORKER]

    assert span_tree(spans, root=PROJECT) == VIEWS
