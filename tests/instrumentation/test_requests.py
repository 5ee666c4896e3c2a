"""What is said of requests, by a server with threads and one with an event loop."""

import contextlib
import re
import signal
from pathlib import Path

import httpx
import pytest

from support.processes import free_port
from support.span_attributes import attributes, exceptions, starting_with
from support.span_tree import span_tree

PROJECT = Path(__file__).parent / "project"
ENV = {"DJANGO_SETTINGS_MODULE": "bookshop.settings_requests"}

# So long that nothing but an orderly end sends what is queued.
NEVER_MS = {"OTEL_BSP_SCHEDULE_DELAY": "3600000"}
UNSET, ERROR = 0, 2


def _uvicorn(bookshop, env):
    port = free_port()
    server = bookshop.process("uvicorn", "bookshop.asgi:application", "--port", str(port), env=env)
    server.start()
    server.wait_for_url(f"http://127.0.0.1:{port}/process/")
    return server, f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module", params=["gunicorn", "uvicorn"])
def get(request, shared_bookshop, shared_sink):
    """Ask for a page and return the request's span, and those below it."""
    env = ENV | {"OTEL_BSP_SCHEDULE_DELAY": "100"}
    if request.param == "gunicorn":
        server, url = shared_bookshop.gunicorn(env=env)
    else:
        server, url = _uvicorn(shared_bookshop, env)

    def get(page: str, *, last: str | None = None):
        shared_sink.requests.clear()
        with contextlib.suppress(httpx.RemoteProtocolError):
            httpx.get(f"{url}/pages/{page}/", trust_env=False, timeout=30)
        if last:
            shared_sink.wait_for(last)
        (entry,) = shared_sink.wait_for(f"GET pages/{page}/")
        return entry, [span for span in shared_sink.spans() if span != entry]

    yield get
    server.terminate()


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("text", "books.pages.text"),
        ("listing", "books.pages.Listing"),
        ("partial", "books.pages.text"),
        ("cached_async", "books.pages.cached_async"),
    ],
)
def test_views(get, page, expected):
    """A request says which view answers it, by the class or function that somebody wrote."""
    entry, _ = get(page)

    assert attributes(entry)["hotspan.django.view"] == expected


def test_responses(get):
    """A request says how large its answer is as it is sent, and what it is."""
    entry, _ = get("text")
    found = starting_with(entry, "http.response.")

    assert 0 < found.pop("http.response.body.size") < 10_000
    assert found == {
        "http.response.status_code": 200,
        "http.response.header.content-encoding": ["gzip"],
        "http.response.header.content-type": ["text/html; charset=utf-8"],
    }


def test_settings_that_cost(get):
    """A request says whether DEBUG is on, and which middleware is there twice."""
    entry, _ = get("listing")

    assert starting_with(entry, "hotspan.django.debug", "hotspan.django.middleware") == {
        "hotspan.django.debug": False,
        "hotspan.django.middleware_duplicates": ["books.middleware.PlainMiddleware"],
    }


def test_own_time_of_middleware(get):
    """A slow middleware is named, and what it has inside is not counted as its own."""
    entry, _ = get("slow_cache")
    found = starting_with(entry, "hotspan.middleware.books.")

    assert list(found) == ["hotspan.middleware.books.middleware.SlowMiddleware.self_ms"]
    assert sum(found.values()) >= 20


@pytest.mark.parametrize(
    ("page", "code", "status"),
    [("absent", 404, UNSET), ("forbidden", 403, UNSET), ("broken", 500, ERROR)],
)
def test_errors(get, page, code, status):
    """What a view answers with 403 or 404 is no error; what it did not expect is."""
    entry, _ = get(page)

    assert attributes(entry)["http.response.status_code"] == code
    assert entry.status.code == status
    assert [type_ for type_, _ in exceptions(entry)] == ["ZeroDivisionError"] * (code == 500)


def test_streams(get):
    """What a streaming body does belongs to the request, although that has ended by then."""
    entry, others = get("stream", last="stream")
    (stream,) = [span for span in others if span.name == "stream"]

    spans = [span for span in (entry, *others) if span.name != "connect"]
    assert span_tree(spans, root=PROJECT) == (
        "server GET pages/stream/\n"
        "  internal stream\n"
        "    client SELECT @ books/pages.py:45 books.pages.stream.<locals>.lines\n"
        "    client SELECT @ books/pages.py:46 books.pages.stream.<locals>.lines\n"
        "    client SELECT @ books/pages.py:46 books.pages.stream.<locals>.lines"
    )
    assert attributes(stream)["http.response.body.size"] > 0


def test_asynchronous_streams(get):
    """The same holds for bodies that are made in an event loop."""
    entry, others = get("async_stream", last="stream")
    (stream,) = [span for span in others if span.name == "stream"]
    (query,) = [span for span in others if span.name == "SELECT"]

    assert stream.parent_span_id == entry.span_id
    assert query.parent_span_id == stream.span_id


def test_broken_streams(get):
    """A body that breaks is an error, where the request itself could not know."""
    entry, others = get("broken_stream", last="stream")
    (stream,) = [span for span in others if span.name == "stream"]

    assert (entry.status.code, stream.status.code) == (UNSET, ERROR)
    assert exceptions(stream) == [("ZeroDivisionError", "")]


@pytest.mark.parametrize(
    ("page", "hits", "misses"), [("cached", 3, 3), ("cached_async", 1, 1)], ids=["sync", "async"]
)
def test_cache(get, page, hits, misses):
    """A request counts what it found in the cache and what not; each key once."""
    entry, others = get(page)
    found = starting_with(entry, "hotspan.cache.")
    found.pop("hotspan.cache.time_ms")
    by_key = {name: found.pop(name) for name in list(found) if ".keys." in name}

    assert sum(by_key.values()) == hits + misses
    assert all(re.fullmatch(r"hotspan\.cache\.keys\..+\.(hits|misses)", name) for name in by_key)
    assert found == {"hotspan.cache.hits": hits, "hotspan.cache.misses": misses}
    assert others == []


def test_slow_cache_operations(get):
    """A slow operation has a span, with its key but for what differs from key to key."""
    _, (span,) = get("slow_cache")

    assert span.name == "cache get"
    assert starting_with(span, "hotspan.cache.") == {
        "hotspan.cache.operation": "get",
        "hotspan.cache.alias": "slow",
        "hotspan.cache.key_pattern": "user:*:page:*",
        "hotspan.cache.hits": 0,
        "hotspan.cache.misses": 1,
    }


def test_uvicorn_ends(bookshop, sink):
    """The last spans arrive although uvicorn ends by a signal."""
    server, url = _uvicorn(bookshop, NEVER_MS)
    httpx.get(f"{url}/books/", trust_env=False, timeout=30)
    server.signal(signal.SIGTERM)

    assert server.wait() == -signal.SIGTERM
    assert len(sink.spans("GET books/")) == 1


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), id="reloader"),
        pytest.param(("--noreload",), id="no reloader", marks=pytest.mark.slow),
    ],
)
def test_runserver_ends(bookshop, sink, options):
    """The last spans arrive although runserver is ended by a signal, with its usual status."""
    port = free_port()
    server = bookshop.process(
        *("python", "manage.py", "runserver", f"127.0.0.1:{port}", *options), env=NEVER_MS
    )
    server.start()
    server.wait_for_url(f"http://127.0.0.1:{port}/books/")
    server.signal(signal.SIGTERM)

    assert server.wait() == (-signal.SIGTERM if options else 0)
    assert len(sink.spans("GET books/")) == 1
