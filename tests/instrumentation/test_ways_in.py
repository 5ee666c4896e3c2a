"""The ways into a process: each ends in the same spans, and each span is there once."""

import signal
from pathlib import Path

import httpx
import pytest

from support.span_attributes import attributes
from support.span_tree import span_tree

HERE = Path(__file__).parent
PROJECT = HERE / "project"

APPLICATION = {"DJANGO_SETTINGS_MODULE": "bookshop.settings_application"}
CONFIGURE = {"BOOKSHOP_CONFIGURE": "yes"}
OTHER = {
    "OTEL_PYTHON_DISTRO": "other",
    "OTEL_PYTHON_CONFIGURATOR": "other",
    "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",  # by default theirs are the old names
    "PYTHONPATH": str(HERE / "other_distro"),
}
FILE = {"OTEL_CONFIG_FILE": str(PROJECT / "sdk.yaml")}

# Whether opentelemetry-instrument starts the process, and what is in its environment.
USUAL = {
    "application": (False, APPLICATION),
    "configure": (False, CONFIGURE),
    "another distro": (True, OTHER),
}
RARE = {
    "zero code and application": (True, APPLICATION),
    "file": (True, FILE),
    "zero code": (True, {}),  # most other tests are about it
    "zero code, application and configure": (True, APPLICATION | CONFIGURE),
    "another distro and application": (True, OTHER | APPLICATION),
}
WAYS = USUAL | RARE

BOOKS = """\
server GET books/
  client connect @ books/views.py:11 books.views.books
  client SELECT @ books/views.py:11 books.views.books
  client SELECT @ books/views.py:12 books.views.books.<locals>.<listcomp>
  client SELECT @ books/views.py:12 books.views.books.<locals>.<listcomp>"""

SHIP = """\
server GET ship/
  client POST @ books/views.py:25 books.views.ship"""

BUY = """\
producer apply_async/books.tasks.buy
  consumer run/books.tasks.buy
    client connect @ books/tasks.py:9 books.tasks.buy
    client UPDATE @ books/tasks.py:9 books.tasks.buy"""


@pytest.fixture(params=[*USUAL, *(pytest.param(way, marks=pytest.mark.slow) for way in RARE)])
def way(request) -> str:
    """Each of the ways, and those that meet."""
    return request.param


@pytest.fixture
def entered(way, bookshop):
    """The project, which will be instrumented by a way."""
    instrumented, env = WAYS[way]
    bookshop.env |= {"OTEL_BSP_SCHEDULE_DELAY": "100", **env}
    bookshop.launcher = ("opentelemetry-instrument",) if instrumented else ()
    return bookshop


def _visit(url: str, page: str) -> None:
    httpx.get(f"{url}/{page}/", trust_env=False, timeout=30).raise_for_status()


def _trace(sink, name: str):
    (span,) = sink.wait_for(name)
    return span, [each for each in sink.spans() if each.trace_id == span.trace_id]


def _check_pages(sink) -> None:
    page, books = _trace(sink, "GET books/")
    _, ship = _trace(sink, "GET ship/")

    assert span_tree(books, root=PROJECT) == BOOKS
    assert span_tree(ship, root=PROJECT) == SHIP
    assert attributes(page)["hotspan.django.view"] == "books.views.books"
    assert attributes(page)["hotspan.db.queries"] == 3
    assert {attributes(span)["hotspan.entry.span_id"] for span in books} == {page.span_id.hex()}
    assert {attributes(call).get("hotspan.client.timeout_s") for call in ship} == {None, 5.0}


def test_server_that_forks(entered, sink):
    """A server of processes sends one span of each thing, with all that hotspan adds."""
    server, url = entered.gunicorn("--workers", "1")
    _visit(url, "books")
    _visit(url, "ship")

    _check_pages(sink)
    assert "Attempting to instrument while already instrumented" not in server.output()
    assert "Overriding" not in server.output()


@pytest.mark.parametrize(
    "way",
    [
        "configure",
        *(pytest.param(way, marks=pytest.mark.slow) for way in WAYS if way != "configure"),
    ],
    indirect=True,
)
def test_worker(entered, sink):
    """So does a worker of processes, from the publication to the task."""
    entered.run("python", "manage.py", "stock", "--sell", "1")
    entered.worker()
    entered.wait_until_sold(1)
    task, spans = _trace(sink, "run/books.tasks.buy")

    assert span_tree(spans, root=PROJECT) == BUY
    assert attributes(task)["hotspan.task.outcome"] == "success"
    assert attributes(task)["hotspan.db.queries"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("way", ["application", "configure"], indirect=True)
def test_development_server(entered, sink):
    """So does the development server, in the child that its reloader starts."""
    _, url = entered.runserver()
    _visit(url, "books")
    _visit(url, "ship")

    _check_pages(sink)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["application", "configure", "another distro"], indirect=True)
def test_event_loop(entered, sink):
    """So does a server with an event loop, and its last spans are not lost."""
    server, url = entered.uvicorn(env={"OTEL_BSP_SCHEDULE_DELAY": "3600000"})
    _visit(url, "books")
    _visit(url, "ship")
    server.signal(signal.SIGTERM)
    server.wait()

    _check_pages(sink)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["another distro", "file"], indirect=True)
def test_what_others_decide_stays(way, entered, sink):
    """Another distro's resource, or that of a file, stays as it is."""
    _, url = entered.gunicorn("--workers", "1")
    _visit(url, "books")
    sink.wait_for("GET books/")
    resource = next(iter(sink.resource_spans())).resource
    found = {item.key: item.value.string_value for item in resource.attributes}

    if way == "file":
        assert found["service.name"] == "from-the-file"
    else:
        assert found["telemetry.distro.name"] == "other"
    assert "process.pid" not in found


@pytest.mark.parametrize("way", ["zero code"], indirect=True)
@pytest.mark.parametrize(
    "off",
    [
        pytest.param({"OTEL_SDK_DISABLED": "true"}, id="sdk"),
        pytest.param(
            {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "*,hotspan"},
            id="instrumentations",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_switched_off(entered, sink, off):
    """OpenTelemetry's own switches leave the service as it is."""
    server, url = entered.gunicorn("--workers", "1", env=off)
    _visit(url, "books")
    server.signal(signal.SIGTERM)
    server.wait()

    assert sink.spans() == []
    assert "hotspan" not in server.output()


def test_settings_in_code(sink, bookshop):
    """What is passed to `configure()` holds in the place of the variables."""
    bookshop.launcher = ()
    code = (
        "import hotspan_instrumentation\n"
        "from hotspan_instrumentation.settings import Settings\n"
        "hotspan_instrumentation.configure(settings=Settings(call_site=False))\n"
        "import sqlite3\n"
        "sqlite3.connect(':memory:').cursor().execute('SELECT 1')\n"
    )
    bookshop.run("python", "-c", code, env={"HOTSPAN_CALL_SITE": "true"})
    (query,) = sink.spans("SELECT")

    assert "code.file.path" not in attributes(query)
    assert attributes(query)["db.query.text"] == "SELECT ?"
