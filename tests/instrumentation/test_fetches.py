"""Rows are counted where they are fetched, by whichever way, and what is fetched stays the same."""

import gc
import sqlite3

import pytest
from opentelemetry.instrumentation import dbapi
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from hotspan_instrumentation import guard
from hotspan_instrumentation.entry import EntryProcessor
from hotspan_instrumentation.integrations import database
from hotspan_instrumentation.query_span import QuerySpan

NUMBERS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250) SELECT i FROM n"
)
ROWS = [(number,) for number in range(1, 251)]


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter):
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.add_span_processor(EntryProcessor())
    return provider


@pytest.fixture
def connection(monkeypatch, provider):
    """A connection to SQLite, instrumented."""
    classes = (dbapi.CursorTracer, dbapi.DatabaseApiIntegration, dbapi.TracedCursorProxy)
    for owner in classes:
        for name, value in list(vars(owner).items()):
            if callable(value):
                monkeypatch.setattr(owner, name, value)  # to be put back
    for name in ("fetchone", "fetchmany", "fetchall", "close", "__iter__", "__next__", "__init__"):
        monkeypatch.setattr(dbapi.TracedCursorProxy, name, None, raising=False)
    database.install(dbapi)
    connection = dbapi.instrument_connection(
        "test", sqlite3.connect(":memory:"), "sqlite", {}, tracer_provider=provider
    )
    yield connection
    connection.__wrapped__.close()


@pytest.fixture
def entry(provider, exporter):
    """Run something in a request; return the rows on its statements, and those that it counted."""

    def entry(run):
        with provider.get_tracer("test").start_as_current_span("request", kind=SpanKind.SERVER):
            run()
        *statements, request = exporter.get_finished_spans()
        rows = [span.attributes.get("db.response.returned_rows") for span in statements]
        return rows, request.attributes.get("hotspan.db.rows")

    return entry


def one_by_one(cursor):
    return [*iter(cursor.fetchone, None)]


def in_parts(cursor):
    return [row for part in iter(lambda: cursor.fetchmany(100), []) for row in part]


def all_at_once(cursor):
    return cursor.fetchall()


def by_iteration(cursor):
    return list(cursor)


def in_every_way(cursor):
    return [cursor.fetchone(), next(cursor), *cursor.fetchmany(10), *cursor.fetchall()]


WAYS = (one_by_one, in_parts, all_at_once, by_iteration, in_every_way)


@pytest.mark.parametrize("fetch", WAYS)
def test_ways_to_fetch(connection, entry, fetch):
    """However rows are fetched, they are what the driver gives, and their number is told."""
    fetched = []

    told = entry(lambda: fetched.extend(fetch(connection.cursor().execute(NUMBERS))))

    assert fetched == ROWS
    assert told == ([250], 250)


def test_rows_that_nobody_fetched(connection, entry):
    """Rows that are left count as not returned; a closed cursor ends its statement."""

    def run():
        cursor = connection.cursor()
        cursor.execute(NUMBERS)
        cursor.fetchmany(30)
        cursor.close()

    assert entry(run) == ([30], 30)


def test_a_cursor_that_is_used_again(connection, entry):
    """The next statement of a cursor ends the one before; each has its own rows."""

    def run():
        cursor = connection.cursor()
        cursor.execute(NUMBERS)
        cursor.fetchmany(7)
        cursor.execute("SELECT 1")
        cursor.fetchall()

    assert entry(run) == ([7, 1], 8)


def test_a_cursor_that_is_dropped(connection, entry):
    """A cursor that nobody closes ends its statement at the moment it goes."""
    gc.disable()
    try:
        told = entry(lambda: connection.cursor().execute(NUMBERS).fetchone())
    finally:
        gc.enable()

    assert told == ([1], 1)


def test_statements_without_rows(connection, entry):
    """What returns no rows says how many it changed, if any, and ends at once."""

    def run():
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE t (a)")
        cursor.execute("INSERT INTO t VALUES (1), (2)")
        cursor.execute("DELETE FROM t WHERE a > 5")

    assert entry(run) == ([None, 2, 0], 2)


def test_time_at_work(connection, entry, exporter):
    """A span lasts as long as the database was at work: not while its user does something else."""

    def run():
        cursor = connection.cursor()
        cursor.execute(NUMBERS)
        sum(range(2_000_000))
        cursor.fetchall()

    entry(run)
    statement, request = exporter.get_finished_spans()

    def length(span):
        return span.end_time - span.start_time

    assert length(statement) < length(request) / 2


def test_errors_while_fetching(connection, entry, exporter):
    """An error of the database in the middle of its rows is raised, and is on the span."""
    connection.__wrapped__.create_function("fail", 1, lambda i: 1 / (250 - i))
    raised = []

    def run():
        cursor = connection.cursor().execute(
            NUMBERS.replace("SELECT i FROM", "SELECT fail(i) FROM")
        )
        try:
            cursor.fetchall()
        except sqlite3.OperationalError as error:
            raised.append(str(error))

    entry(run)

    assert raised == ["user-defined function raised exception"]
    assert exporter.get_finished_spans()[0].attributes["error.type"] == "sqlite3.OperationalError"


def test_execute_returns_the_cursor(connection):
    """As the driver's own does, so that rows can be fetched from what it returns."""
    cursor = connection.cursor()

    assert cursor.execute(NUMBERS) is cursor
    assert iter(cursor) is cursor


@pytest.mark.parametrize("broken", ["wait_for_rows", "close"])
def test_errors_of_ours_change_nothing(connection, entry, monkeypatch, broken):
    """If counting fails, the rows are returned all the same."""
    monkeypatch.setattr(QuerySpan, broken, lambda *_: 1 / 0)
    fetched = []

    entry(lambda: fetched.extend(connection.cursor().execute(NUMBERS).fetchall()))

    failures = [name for name in guard.failures if "QuerySpan" in name]
    for name in failures:
        del guard.failures[name]
    assert fetched == ROWS
    assert len(failures) == 1
