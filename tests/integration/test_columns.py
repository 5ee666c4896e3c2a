"""What of a span ends in which column, for both dialects of the semantic conventions."""

import secrets

import pytest

from support.otlp_requests import now_ns, request, span

COLUMNS = """
SELECT
    environment, db_system, db_statement, http_method, http_route, http_status, url, peer,
    message_id, task, task_state, task_retries, queue, exception_type,
    code_file, code_line, code_function
FROM spans
"""
NOTHING = {
    "environment": "production",
    "db_system": "",
    "db_statement": "",
    "http_method": "",
    "http_route": "",
    "http_status": 0,
    "url": "",
    "peer": "",
    "message_id": "",
    "task": "",
    "task_state": "",
    "task_retries": 0,
    "queue": "",
    "exception_type": "",
    "code_file": "",
    "code_line": 0,
    "code_function": "",
}
STATEMENT = "SELECT a FROM b WHERE id = %s"

# What it is, as the old conventions say it, as the new ones do, and the columns that hold it.
DIALECTS = {
    "query": (
        {"db.system": "postgresql", "db.statement": STATEMENT, "net.peer.name": "db"},
        {"db.system.name": "postgresql", "db.query.text": STATEMENT, "server.address": "db"},
        {"db_system": "postgresql", "db_statement": STATEMENT, "peer": "db"},
    ),
    "request": (
        {
            "http.method": "GET",
            "http.status_code": 200,
            "http.route": "a/",
            "http.target": "/a/?b=1",
        },
        {
            "http.request.method": "GET",
            "http.response.status_code": 200,
            "http.route": "a/",
            "url.path": "/a/",
            "url.query": "b=1",
        },
        {"http_method": "GET", "http_status": 200, "http_route": "a/", "url": "/a/?b=?"},
    ),
    "call": (
        {"http.method": "POST", "http.status_code": 503, "http.url": "https://api.example/v1?q=1"},
        {
            "http.request.method": "POST",
            "http.response.status_code": 503,
            "url.full": "https://api.example/v1?q=1",
            "server.address": "api.example",
        },
        {
            "http_method": "POST",
            "http_status": 503,
            "url": "https://api.example/v1?q=?",
            "peer": "api.example",
        },
    ),
    "task": (
        {
            "messaging.destination": "celery",
            "messaging.message.id": "m1",
            "celery.task_name": "shop.tasks.book",
            "celery.state": "RETRY",
            "celery.retries": 2,
        },
        {
            "messaging.destination.name": "celery",
            "messaging.message.id": "m1",
            "celery.task_name": "shop.tasks.book",
            "celery.state": "RETRY",
            "celery.retries": 2,
        },
        {
            "queue": "celery",
            "message_id": "m1",
            "task": "shop.tasks.book",
            "task_state": "RETRY",
            "task_retries": 2,
        },
    ),
    "call site": (
        {"code.filepath": "/app/views.py", "code.lineno": 7, "code.function": "index"},
        {
            "code.file.path": "/app/views.py",
            "code.line.number": 7,
            "code.function.name": "index",
        },
        {"code_file": "/app/views.py", "code_line": 7, "code_function": "index"},
    ),
    "error": (
        {"error.type": "ValueError"},
        {"error.type": "ValueError"},
        {"exception_type": "ValueError"},
    ),
}


def insert(store, body: bytes) -> None:
    store.insert_spans(body, token=secrets.token_hex())


def one(**changes):
    values = {"trace_id": "01" * 16, "span_id": "02" * 8, "start_ns": now_ns(), **changes}
    return span("a", **values)


@pytest.mark.parametrize("dialect", [0, 1], ids=["old", "new"])
@pytest.mark.parametrize("what", DIALECTS)
def test_both_dialects_end_in_the_same_columns(store, what, dialect):
    """Rules need not know which version of the conventions a process speaks."""
    *dialects, columns = DIALECTS[what]
    insert(store, request([one(attributes=dialects[dialect])]))

    (row,) = store.rows(COLUMNS)

    assert {**row, "url": row["url"].partition("#redacted-")[0]} == {**NOTHING, **columns}


@pytest.mark.parametrize("name", ["deployment.environment", "deployment.environment.name"])
def test_both_names_of_the_environment(store, name):
    """The environment is what keeps staging and production apart."""
    body = request([one()], environment="", resource={name: "staging"})
    insert(store, body)

    (row,) = store.rows(COLUMNS)

    assert row["environment"] == "staging"


@pytest.mark.parametrize(
    ("statements", "distinct"),
    [
        (["SELECT a FROM b WHERE id = 1", "SELECT a FROM b WHERE id = 22"], 1),
        (["SELECT a FROM b WHERE id = 'x'", "SELECT a FROM b WHERE id = 'yy'"], 1),
        (["SELECT a FROM b WHERE id = %s", "SELECT a FROM b WHERE id = ?"], 1),
        (["SELECT a FROM b WHERE id = $1", "SELECT a FROM b WHERE id = %(id)s"], 1),
        (["SELECT a FROM b WHERE id IN (%s)", "SELECT a FROM b WHERE id IN (%s, %s, %s)"], 1),
        (["SELECT a FROM b WHERE id IN (1)", "SELECT a FROM b WHERE id IN (1, 2)"], 1),
        (["INSERT INTO b VALUES (%s, %s)", "INSERT INTO b VALUES (%s, %s), (%s, %s)"], 2),
        (["SAVEPOINT s1_x1", "SAVEPOINT s140_x2"], 1),
        (["SELECT a FROM b", "SELECT a FROM c"], 2),
        (["SELECT a FROM b WHERE id = %s", "SELECT a FROM b WHERE name = %s"], 2),
    ],
)
def test_statements_of_one_shape_have_one_fingerprint(store, statements, distinct):
    """Literals, drivers' placeholders and the length of lists do not tell statements apart."""
    spans = [
        one(span_id=f"{number:016x}", attributes={"db.statement": text})
        for number, text in enumerate(statements, 1)
    ]
    insert(store, request(spans))

    (row,) = store.rows("SELECT uniqExact(db_fingerprint) AS distinct FROM spans")

    assert row["distinct"] == distinct


def test_a_token_stores_once(store):
    """The collector may try an insert again whose answer it did not hear."""
    body = request([one()])
    store.insert_spans(body, token="one")
    store.insert_spans(body, token="one")

    (stored,) = store.rows("SELECT count() AS spans FROM spans")

    assert stored["spans"] == 1
