"""Requests at the same time in one process, by every kind of worker: none gets another's spans."""

import re
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from hotspan_instrumentation.gevent_patch import is_asked_for
from support.span_attributes import attributes
from support.span_tree import by_trace, span_tree

PROJECT = Path(__file__).parent / "project"

# So long that nothing but an orderly end sends what is queued.
NEVER_MS = {"OTEL_BSP_SCHEDULE_DELAY": "3600000"}
ROUNDS = 20

TREES = {
    "GET books/": """\
server GET books/
  client SELECT @ books/views.py:11 books.views.books
  client SELECT @ books/views.py:12 books.views.books.<locals>.<listcomp>
  client SELECT @ books/views.py:12 books.views.books.<locals>.<listcomp>""",
    "GET async-books/": """\
server GET async-books/
  client SELECT @ books/views.py:19 books.views.async_books
  client SELECT @ books/views.py:20 books.views.async_books""",
    "GET ship/": """\
server GET ship/
  client POST @ books/views.py:25 books.views.ship""",
}

WORKERS = {
    "gthread": ("--worker-class", "gthread", "--threads", "4"),
    "gevent": ("--worker-class", "gevent"),
}


def _serve(kind, bookshop):
    if kind in WORKERS:
        return bookshop.gunicorn("--workers", "1", *WORKERS[kind], env=NEVER_MS)
    if kind == "uvicorn workers":
        return bookshop.uvicorn("--workers", "2", env=NEVER_MS)
    return bookshop.uvicorn(env=NEVER_MS)


@pytest.mark.parametrize(
    "kind",
    [
        "gthread",
        "gevent",
        pytest.param("uvicorn", marks=pytest.mark.slow),
        pytest.param("uvicorn workers", marks=pytest.mark.slow),
    ],
)
def test_requests_at_once(kind, bookshop, sink):
    """Each request has its own spans, all of them, and they are there when the server has ended."""
    # Django's asynchronous views do not work in gevent's workers, with or without us.
    trees = [tree for name, tree in TREES.items() if (kind, name) != ("gevent", "GET async-books/")]
    pages = [tree.splitlines()[0].removeprefix("server GET ") for tree in trees] * ROUNDS
    server, url = _serve(kind, bookshop)
    with ThreadPoolExecutor(8) as pool, httpx.Client(trust_env=False, timeout=30) as client:
        answers = list(pool.map(lambda page: client.get(f"{url}/{page}"), pages))
    server.signal(signal.SIGTERM)
    server.wait()

    assert {answer.status_code for answer in answers} == {200}
    spans = [span for span in sink.spans() if span.name not in {"connect", "GET process/"}]
    found = [span_tree(trace, root=PROJECT) for trace in by_trace(spans)]
    assert sorted(found) == sorted(trees * ROUNDS)
    for trace in by_trace(spans):
        (entry,) = (span for span in trace if span.kind == span.SPAN_KIND_SERVER)
        assert attributes(entry).get("hotspan.db.queries", 0) == TREES[entry.name].count("SELECT")
    assert re.findall(r"hotspan's hook.*", server.output()) == []
    assert "MonkeyPatchWarning" not in server.output()


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("/venv/bin/python /venv/bin/gunicorn shop.wsgi -k gevent", True),
        ("gunicorn shop.wsgi -kgevent", True),
        ("gunicorn shop.wsgi --worker-class=gevent_wsgi", True),
        ("gunicorn shop.wsgi --worker-class gunicorn.workers.ggevent.GeventWorker", True),
        ("gunicorn shop.wsgi -k gthread", False),
        ("gunicorn gevent.wsgi", False),
        ("celery -A shop worker -P gevent", True),
        ("celery -A shop worker --pool=gevent", True),
        ("celery -A shop worker -P prefork", False),
        ("python manage.py -k gevent", False),
    ],
)
def test_gevent_is_foreseen(command, expected):
    """A command that starts gevent's workers is known before they are started."""
    assert is_asked_for(command.split(), {}) is expected


def test_gevent_is_foreseen_by_the_variable():
    """So it is when gunicorn's own variable says so."""
    environment = {"GUNICORN_CMD_ARGS": "--workers 2 --worker-class gevent"}

    assert is_asked_for(["gunicorn", "shop.wsgi"], environment)


@pytest.mark.slow
def test_gevent_that_was_not_foreseen(bookshop, tmp_path):
    """Where a file chooses gevent's workers, the log says what to do; its advice helps."""
    config = tmp_path / "gunicorn.conf.py"
    config.write_text("worker_class = 'gevent'")
    server, _ = bookshop.gunicorn("-c", str(config))
    server.terminate()
    advice = {"OTEL_PYTHON_AUTO_INSTRUMENTATION_EXPERIMENTAL_GEVENT_PATCH": "patch_all"}
    advised, _ = bookshop.gunicorn("-c", str(config), env=advice)
    advised.terminate()

    assert "GEVENT_PATCH=patch_all" in server.output()
    assert "GEVENT_PATCH=patch_all" not in advised.output()


@pytest.mark.slow
def test_tasks_at_once(bookshop, sink):
    """Each task of gevent's pool has its own spans, and none is lost when the worker ends."""
    bookshop.publish(ROUNDS)  # before: kombu's worker may read a file that is half written
    worker = bookshop.worker("--pool", "gevent", "--concurrency", "8", env=NEVER_MS)
    bookshop.wait_until_sold(ROUNDS)
    worker.signal(signal.SIGTERM)
    worker.wait()

    spans = [span for span in sink.spans() if span.name != "connect"]
    tasks = [trace for trace in by_trace(spans) if any("run/" in span.name for span in trace)]
    found = {span_tree(trace, root=PROJECT).replace("orphan ", "") for trace in tasks}
    assert len(tasks) == ROUNDS
    assert found == {
        "consumer run/books.tasks.buy\n  client UPDATE @ books/tasks.py:9 books.tasks.buy"
    }
    outcomes = [attributes(span) for span in spans if span.kind == span.SPAN_KIND_CONSUMER]
    assert {each["hotspan.task.pool"] for each in outcomes} == {"gevent"}
    assert {each["hotspan.task.outcome"] for each in outcomes} == {"success"}
