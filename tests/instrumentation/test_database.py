"""What is on the spans of statements, from real processes, on SQLite and PostgreSQL."""

from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from support.span_attributes import attributes, exceptions, starting_with
from support.span_tree import span_tree

PROJECT = Path(__file__).parent / "project"
SECRETS = (b"jane", b"19840615", b"20010911")

_CONTROL = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK")


class Run:
    """All that arrived from one run of the `query_cases` command."""

    def __init__(self, spans: list[Span], exported: bytes) -> None:
        self.exported = exported
        self._spans = spans

    def entry(self, case: str) -> Span:
        (entry,) = (span for span in self._spans if span.name == case)
        return entry

    def below(self, case: str, name: str | None = None) -> list[Span]:
        """The spans below a case, in order of their start."""
        entry = self.entry(case)
        found = [
            span
            for span in self._spans
            if span.trace_id == entry.trace_id and span is not entry and name in {None, span.name}
        ]
        return sorted(found, key=lambda span: span.start_time_unix_nano)

    def statements(self, case: str) -> list[Span]:
        """The statements of a case that are the application's own."""
        return [
            span
            for span in self.below(case)
            if not span.name.startswith(_CONTROL)
            and "set_config" not in (text(span) or "-")
            and text(span)
        ]


def text(span: Span) -> str:
    return attributes(span).get("db.query.text", "")


def values(spans: list[Span], name: str) -> list:
    return [attributes(span).get(name) for span in spans]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request):
    """Which database the cases use."""
    return request.param


@pytest.fixture(scope="module")
def run(database, request, shared_bookshop, shared_sink):
    """One run of all cases."""
    before = len(shared_sink.requests)
    if database == "sqlite":
        shared_bookshop.run("python", "manage.py", "query_cases")
    else:
        server = request.getfixturevalue("postgres_server")
        env = {
            "BOOKSHOP_DATABASE_URL": server.create_database("bookshop"),
            "DJANGO_SETTINGS_MODULE": "bookshop.postgres_settings",
        }
        quiet = {**env, "OTEL_TRACES_EXPORTER": "none"}
        shared_bookshop.run("python", "manage.py", "migrate", "--run-syncdb", env=quiet)
        shared_bookshop.run("python", "manage.py", "stock", env=quiet)
        shared_bookshop.run("python", "manage.py", "query_cases", env=env)
        server.drop_database("bookshop")
    requests = shared_sink.requests[before:]
    spans = [
        span
        for request in requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    return Run(spans, b"".join(request.SerializeToString() for request in requests))


def test_nothing_of_the_values_leaves(run):
    """No parameter and no literal is in any exported byte, nor in the errors that repeat them."""
    found = [secret for secret in SECRETS if secret in run.exported]

    assert found == []
    assert len(run.statements("failing")) >= 4


def test_every_span_knows_its_entry(run):
    """Each span of a case has the case's own span as its entry."""
    entry = run.entry("forward")

    known = {attributes(span)["hotspan.entry.span_id"] for span in [entry, *run.below("forward")]}
    assert known == {entry.span_id.hex()}


def test_forward_relation(run):
    """A foreign key that is followed names the relation, and both of its ends."""
    _, *queries = run.statements("forward")

    orm = [starting_with(span, "hotspan.orm.") for span in queries]
    assert values(queries, "hotspan.orm.model") == ["books.Book", "books.Book"]
    assert values(queries, "hotspan.orm.relation") == ["author", "author"]
    assert len({each["hotspan.orm.source_key"] for each in orm}) == 2
    assert len({each["hotspan.orm.target_key"] for each in orm}) == 2


def test_target_is_the_next_source(run):
    """An object has one key, whether it is walked to or walked from: chains can be told."""
    to_ursula = run.statements("forward")[1]
    from_ursula = run.statements("reverse")[1]

    assert (
        attributes(to_ursula)["hotspan.orm.target_key"]
        == attributes(from_ursula)["hotspan.orm.source_key"]
    )


@pytest.mark.parametrize(
    ("case", "relations"),
    [
        ("reverse", [None, "book_set", "book_set"]),
        ("one_to_one", [None, "cover"]),
        ("many_to_many", [None, "books", "books", "shelf_set"]),
        ("prefetched", [None, None]),
    ],
)
def test_relations(run, case, relations):
    """Each kind of relation is named; prefetches and plain queries have none."""
    queries = run.statements(case)

    assert values(queries, "hotspan.orm.relation") == relations
    assert [key is not None for key in values(queries, "hotspan.orm.source_key")] == [
        relation is not None for relation in relations
    ]


def test_querysets_are_not_evaluated(run):
    """A queryset that nobody evaluates runs no query, and a pickled one survives."""
    assert run.below("never_evaluated") == []
    assert run.entry("never_evaluated").events == []


def test_parameters(run):
    """The same parameters have the same hash, others another."""
    first, again, other = values(run.statements("same_again"), "hotspan.db.param_hash")

    assert first == again != other
    assert len(first) == 16


def test_literals(run):
    """Literals are masked, comments left out; what they were is in the hash."""
    *raw, parameterised, extra = run.statements("raw")

    assert [text(span) for span in raw] == [
        "SELECT name FROM books_author WHERE name = ? OR id > ?"
    ] * 2
    assert text(parameterised) == "SELECT name FROM books_author WHERE name = %s"
    assert text(extra).endswith("WHERE (name = ?)")
    assert len(set(values(raw, "hotspan.db.param_hash"))) == 2


def test_stack_of_the_fifth(run):
    """Of the same statement again and again, the fifth alone says how it was reached."""
    stacks = values(run.statements("repeated"), "code.stacktrace")

    assert [stack is not None for stack in stacks] == [False] * 4 + [True, False]
    assert "query_cases.py" in stacks[4].splitlines()[-1] or "django" in stacks[4]
    assert "in repeated" in stacks[4]
    assert "hotspan_instrumentation" not in stacks[4]


def test_committed(run):
    """A transaction has one span, up to its commit; savepoints are in it, callbacks are not."""
    (transaction,) = run.below("committed", "transaction")
    update, inside, callback = run.statements("committed")

    told = attributes(transaction)
    assert (told["hotspan.tx.outcome"], told["hotspan.tx.on_commit"]) == ("commit", 1)
    assert told["code.function.name"] == "books.management.commands.query_cases.committed"
    assert values([update, inside, callback], "hotspan.db.in_transaction") == [True, True, False]
    assert values([update, inside, callback], "hotspan.db.savepoints") == [None, 1, None]
    assert transaction.end_time_unix_nano <= callback.start_time_unix_nano
    assert inside.parent_span_id == run.entry("committed").span_id


def test_rolled_back(run):
    """A transaction that an exception ends says so."""
    (transaction,) = run.below("rolled_back", "transaction")

    assert attributes(transaction)["hotspan.tx.outcome"] == "rollback"


def test_batches(run, database):
    """Many sets of parameters are one span, with their number and no hash."""
    (update,) = run.statements("many")

    told = attributes(update)
    assert told["db.operation.batch.size"] == 3
    assert told["db.response.returned_rows"] == 0
    assert "hotspan.db.param_hash" not in told


def test_rows(run, database):
    """Each query tells its rows: PostgreSQL says how many, with SQLite they are counted."""
    assert values(run.statements("forward"), "db.response.returned_rows") == [2, 1, 1]
    assert attributes(run.entry("forward"))["hotspan.db.rows"] == 4


def test_iterator(run, database):
    """A server-side cursor is one span, with all rows, whatever the number of fetches."""
    (query,) = run.statements("iterator")

    told = attributes(query)
    assert told["hotspan.orm.model"] == "books.Book"
    assert (told.get("db.response.returned_rows"), told.get("hotspan.db.fetches")) == (
        (2, 3) if database == "postgresql" else (2, None)
    )


def test_connects(run):
    """Each connection that is opened has a span, and is counted."""
    connects = run.below("reconnecting", "connect")

    assert values(connects, "hotspan.db.connect") == [True, True]
    assert attributes(run.entry("reconnecting"))["hotspan.db.connects"] == 2


def test_what_a_connection_is_greeted_with(run):
    """What a receiver says to a new connection is its own, not the query's that needed one."""
    greeting, count = run.statements("greeting")

    assert text(greeting) == "SELECT 1 AS hello"
    assert attributes(greeting)["code.function.name"].endswith("greeting.<locals>.greet")
    assert "hotspan.orm.model" not in attributes(greeting)
    assert attributes(count)["code.function.name"].endswith(".greeting")
    assert attributes(count)["hotspan.orm.model"] == "books.Author"


def test_async_queries(run):
    """A query that an event loop awaits belongs to the entry, and names the line that awaits."""
    (query,) = run.statements("asynchronous")

    assert attributes(query)["code.function.name"].endswith("asynchronous.<locals>.count")
    assert attributes(run.entry("asynchronous"))["hotspan.db.queries"] == 1


def test_counters(run):
    """The entry has the number of its statements, of distinct ones, and their time."""
    told = attributes(run.entry("repeated"))

    assert (told["hotspan.db.queries"], told["hotspan.db.distinct"]) == (6, 1)
    assert told["hotspan.db.time_ms"] > 0
    assert told["hotspan.cpu_ms"] > 0


def test_alias(run):
    """Statements say which of Django's databases they went to."""
    assert set(values(run.statements("forward"), "hotspan.db.alias")) == {"default"}


def test_errors_keep_what_is_no_value(run, database):
    """Of a database error the type and the names remain."""
    failed = [span for span in run.statements("failing") if span.status.code == 2]

    ((kind, message),) = exceptions(failed[0])
    expected = {
        "sqlite": ("sqlite3.OperationalError", "no such table: no_such_table"),
        "postgresql": (
            "psycopg.errors.UndefinedTable",
            'relation "no_such_table" does not exist\nLINE 1: ?\n                      ^',
        ),
    }
    assert (kind, message) == expected[database]


def test_tree(run, database):
    """A transaction's own statements and ours stand side by side, below the entry."""
    begin = "  client BEGIN @ {0}" if database == "sqlite" else None
    site = "books/management/commands/query_cases.py"
    function = "books.management.commands.query_cases.rolled_back"
    lines = span_tree([run.entry("rolled_back"), *run.below("rolled_back")], root=PROJECT)

    names = [line.split(" @ ")[0].strip() for line in lines.splitlines()]
    expected = ["server rolled_back", "internal transaction", "client INSERT"]
    assert names == expected if begin is None else [*expected[:2], "client BEGIN", expected[2]]
    assert f"internal transaction @ {site}" in lines
    assert function in lines
