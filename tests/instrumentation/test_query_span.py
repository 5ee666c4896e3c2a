"""The spans of a plain DB-API driver: limits, and errors of ours and of the database."""

import re
import sqlite3

import pytest
from opentelemetry.instrumentation import dbapi
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from hotspan_instrumentation import guard, query_span, statement_facts
from hotspan_instrumentation.entry import EntryProcessor
from hotspan_instrumentation.integrations import database
from hotspan_instrumentation.query_span import QuerySpan
from hotspan_instrumentation.settings import Settings


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
def cursor(monkeypatch, provider):
    """A cursor of SQLite, instrumented."""
    tracer, integration = dbapi.CursorTracer, dbapi.DatabaseApiIntegration
    for owner, name in (
        (tracer, "traced_execution"),
        (tracer, "traced_execution_async"),
        (integration, "wrapped_connection"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))  # to be put back
    database.install(dbapi)
    connection = dbapi.instrument_connection(
        "test", sqlite3.connect(":memory:"), "sqlite", {}, tracer_provider=provider
    )
    yield connection.cursor()
    connection.close()


@pytest.fixture
def entry(provider, exporter):
    """Run something in a request, and return the request's attributes and its statements."""

    def entry(run):
        with provider.get_tracer("test").start_as_current_span("request", kind=SpanKind.SERVER):
            run()
        *statements, request = exporter.get_finished_spans()
        return dict(request.attributes), statements

    return entry


def test_statements_beyond_the_limit_are_counted(cursor, entry, monkeypatch):
    """A request with too many statements has all of them counted, and spans of the first ones."""
    monkeypatch.setattr(query_span, "current_settings", lambda: Settings(query_spans_per_entry=3))

    told, statements = entry(lambda: [cursor.execute("SELECT ?", (n,)) for n in range(10)])

    assert len(statements) == 3
    assert (told["hotspan.db.queries"], told["hotspan.spans_dropped"]) == (10, 7)


def test_an_error_of_ours_leaves_the_stock_span(cursor, entry, monkeypatch):
    """If our part fails, the statement runs once, and has the span it would have without us."""
    monkeypatch.setattr(QuerySpan, "__init__", lambda *_, **__: 1 / 0)

    def run():
        cursor.execute("CREATE TABLE t (a)")
        cursor.execute("INSERT INTO t VALUES (?)", (1,))
        assert cursor.execute("SELECT * FROM t").fetchall() == [(1,)]

    _, statements = entry(run)

    guard.failures.pop("hotspan_instrumentation.query_span.QuerySpan")
    assert [span.name for span in statements] == ["CREATE", "INSERT", "SELECT"]


def test_an_error_of_ours_at_the_end_keeps_the_answer(cursor, entry, monkeypatch):
    """If ending the span fails, the statement's answer is returned, and the span is sent."""
    monkeypatch.setattr(query_span, "_row_count", lambda _: 1 / 0)
    answers = []

    _, statements = entry(lambda: answers.append(cursor.execute("SELECT 1").fetchall()))

    guard.failures.pop("hotspan_instrumentation.query_span.QuerySpan.end")
    assert (answers, [span.name for span in statements]) == ([[(1,)]], ["SELECT"])


def test_the_database_s_errors_arrive(cursor, entry):
    """What the driver raises is raised, unchanged, and is on the span."""
    raised = []

    def run():
        try:
            cursor.execute("SELECT * FROM nowhere")
        except sqlite3.OperationalError as error:
            raised.append(str(error))

    _, (statement,) = entry(run)

    assert raised == ["no such table: nowhere"]
    assert statement.attributes["error.type"] == "sqlite3.OperationalError"
    assert [event.name for event in statement.events] == ["exception"]


def test_batches_are_not_consumed(cursor, entry):
    """A generator of parameters is left to the driver."""
    cursor.execute("CREATE TABLE t (a)")

    def run():
        cursor.executemany("INSERT INTO t VALUES (?)", ((n,) for n in range(3)))

    entry(run)

    assert cursor.execute("SELECT count(*) FROM t").fetchall() == [(3,)]


def _hashes(statements):
    return [span.attributes.get("hotspan.db.param_hashes") for span in statements]


def test_each_parameter_has_a_hash(cursor, entry):
    """Of several parameters each has a hash, the same for the same value; of one there is none."""

    def run():
        for values in ((1, "a"), (2, "a"), ("1", "b")):
            cursor.execute("SELECT ?, ?", values)
        cursor.execute("SELECT ?", (1,))
        cursor.execute("SELECT " + ", ".join("?" * 20), tuple(range(20))).fetchall()

    _, statements = entry(run)

    (one, a), (two, again), (text, b), single, many = _hashes(statements)
    assert a == again
    assert len({one, two, text, a, b}) == 5
    assert all(re.fullmatch("[0-9a-f]{8}", each) for each in (one, a, *many))
    assert (single, len(many)) == (None, 8)


def test_parameters_that_must_not_be_looked_at(cursor, entry):
    """A parameter of an unknown type is left alone, and with it all hashes of its statement."""
    sqlite3.register_adapter(Secret, lambda _: "adapted")

    _, statements = entry(lambda: cursor.execute("SELECT ?, ?", (1, Secret())).fetchall())

    assert _hashes(statements) == [None]


def test_hashes_of_parameters_can_be_switched_off(cursor, entry, monkeypatch):
    """A setting leaves the hash of all parameters together."""
    monkeypatch.setattr(statement_facts, "current_settings", lambda: Settings(param_hashes=False))

    _, (statement,) = entry(lambda: cursor.execute("SELECT ?, ?", (1, 2)).fetchall())

    assert "hotspan.db.param_hash" in statement.attributes
    assert "hotspan.db.param_hashes" not in statement.attributes


class Secret:
    def __repr__(self):
        raise AssertionError("it has been looked at")
