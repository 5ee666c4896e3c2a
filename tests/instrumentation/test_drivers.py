"""What each database driver's spans have in common, from real processes and servers."""

import pytest

from support.span_attributes import attributes, exceptions

SECRET = b"jane"
_CONTROL = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "SET")
_OF_THE_DRIVER = ("SELECT set_config", "SELECT VERSION()")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["psycopg", "psycopg2", "mysqlclient", "pymysql"])
def driver(request):
    return request.param


@pytest.fixture(scope="module")
def sent(driver, request, shared_bookshop, shared_sink):
    """What arrives of all cases: bytes, and spans by case."""
    server = "postgres_server" if driver.startswith("psycopg") else "mysql_server"
    server = request.getfixturevalue(server)
    env = {
        "BOOKSHOP_DRIVER": driver,
        "BOOKSHOP_DATABASE_URL": server.create_database("drivers"),
        "DJANGO_SETTINGS_MODULE": "bookshop.driver_settings",
    }
    for command in (["migrate", "--run-syncdb"], ["stock"]):
        shared_bookshop.run(
            "python", "manage.py", *command, env=env | {"OTEL_TRACES_EXPORTER": "none"}
        )
    shared_sink.requests.clear()
    shared_bookshop.run("python", "manage.py", "driver_cases", env=env)
    server.drop_database("drivers")
    exported = b"".join(request.SerializeToString() for request in shared_sink.requests)
    spans = sorted(shared_sink.spans(), key=lambda span: span.start_time_unix_nano)
    entries = {span.trace_id: span.name for span in spans if span.kind == span.SPAN_KIND_SERVER}
    return exported, [(entries.get(span.trace_id), span) for span in spans]


@pytest.fixture(scope="module")
def statements(sent):
    """The application's own statements of a case, as attributes."""

    def statements(case: str) -> list[dict]:
        found = [attributes(span) for name, span in sent[1] if name == case]
        texts = [(each.get("db.query.text", ""), each) for each in found]
        own = [each for text, each in texts if text and not text.startswith(_OF_THE_DRIVER)]
        return [each for each in own if not each["db.query.text"].startswith(_CONTROL)]

    return statements


@pytest.fixture(scope="module")
def entry(sent):
    """The counters of a case."""

    def entry(case: str) -> dict:
        (found,) = (span for _, span in sent[1] if span.name == case)
        return attributes(found)

    return entry


def test_nothing_of_the_values_leaves(sent):
    """No parameter, no literal and no error's text brings a value out."""
    assert SECRET not in sent[0]


def test_every_statement_has_one_span(statements, entry):
    """Where two libraries could see a statement, one span is made of it."""
    counts = {
        case: len(statements(case)) for case in ("relation", "parameters", "batch", "literals")
    }

    assert counts == {"relation": 3, "parameters": 3, "batch": 1, "literals": 1}
    assert {case: entry(case)["hotspan.db.queries"] for case in counts} == counts


def test_call_sites(statements):
    """Each statement says which line made it, also one that an event loop awaits."""
    functions = {
        case: {each["code.function.name"].rpartition("driver_cases.")[2] for each in found}
        for case in ("relation", "parameters", "batch", "iterator", "unbuffered", "asynchronous")
        if (found := statements(case))
    }

    assert functions == {
        "relation": {"relation"},
        "parameters": {"parameters"},
        "batch": {"batch"},
        "iterator": {"iterator"},
        "unbuffered": {"unbuffered"},
        "asynchronous": {"asynchronous.<locals>.first"},
    }


def test_parameters(statements):
    """The same parameters have the same hash, others another; named ones have one, too."""
    first, again, other = (each["hotspan.db.param_hash"] for each in statements("parameters"))
    (named,) = statements("keywords")

    assert first == again != other
    assert len(named["hotspan.db.param_hash"]) == 16
    assert named["db.query.text"] == "SELECT id FROM books_author WHERE name = %(name)s"


def test_literals(statements):
    """A literal is masked, and a comment left out."""
    (query,) = statements("literals")

    assert query["db.query.text"] == "SELECT id FROM books_author WHERE name = ?"


def test_relations(statements):
    """The relation that made a statement necessary is named."""
    _, *authors = statements("relation")

    assert [each["hotspan.orm.relation"] for each in authors] == ["author"] * 2
    assert len({each["hotspan.orm.source_key"] for each in authors}) == 2
    assert {each["hotspan.db.alias"] for each in authors} == {"default"}


def test_batches(statements):
    """An executemany is one span, with the number of its sets of parameters."""
    (insert,) = statements("batch")

    assert insert["db.operation.batch.size"] == 3
    assert insert["db.response.returned_rows"] == 3
    assert "hotspan.db.param_hash" not in insert


def test_rows(statements, driver):
    """Each statement says how many rows it has returned, also one that leaves them there."""
    rows = {
        case: [each.get("db.response.returned_rows") for each in statements(case)]
        for case in ("relation", "iterator", "unbuffered", "rolled_back")
    }

    assert rows == {
        "relation": [2, 1, 1],
        "iterator": [5],
        "unbuffered": [5],
        "rolled_back": [0],
    }


def test_connects(sent, entry):
    """A connection that is opened has a span, and is counted; what the driver says then is not."""
    connects = [span for case, span in sent[1] if (case, span.name) == ("reconnecting", "connect")]

    assert len(connects) == 1
    assert entry("reconnecting")["hotspan.db.connects"] == 1
    assert entry("reconnecting")["hotspan.db.queries"] == 1
    assert entry("asynchronous")["hotspan.db.queries"] == 1


def test_transactions(sent, statements):
    """A transaction has a span with its outcome, and its statements say that they are in it."""
    (transaction,) = (
        span for case, span in sent[1] if (case, span.name) == ("rolled_back", "transaction")
    )

    assert attributes(transaction)["hotspan.tx.outcome"] == "rollback"
    assert [each["hotspan.db.in_transaction"] for each in statements("rolled_back")] == [True]


def test_errors(sent):
    """Errors are there with their type, and without the values in their text."""
    failed = [span for case, span in sent[1] if case == "failing" and span.status.code == 2]
    recorded = [type_ for span in failed for type_, _ in exceptions(span)]

    assert len(failed) == len(recorded) == 2
    assert [attributes(span)["error.type"] for span in failed] == recorded
