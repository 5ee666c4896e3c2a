"""What is secret is not stored: statements' literals, URLs, texts of errors, some attributes."""

import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from hotspan_collector.api.trace import read_span
from hotspan_collector.store.redaction import Redaction
from support import stored_in_the_clear
from support.otlp_requests import key_values, now_ns, request, span

ROW = "SELECT attributes, db_statement, url, status_message, exception_message, events FROM spans"
MARK = re.compile(r"( -- redacted |#redacted-)[0-9a-f]+$")


def one(*, error: str = "", events: tuple[Span.Event, ...] = (), **attributes: object) -> Span:
    return span(
        "a",
        trace_id="01" * 16,
        span_id=secrets.token_hex(8),
        start_ns=now_ns(),
        error=error,
        events=events,
        attributes={name.replace("__", "."): value for name, value in attributes.items()},
    )


def stored(store, *spans: Span) -> list[dict]:
    store.insert_spans(request(list(spans)), token=secrets.token_hex())
    return list(store.rows(f"{ROW} ORDER BY span_id"))


STATEMENTS = {
    "SELECT a FROM b WHERE c = 'secret' AND d = 12.5": "SELECT a FROM b WHERE c = ? AND d = ?",
    "SELECT 'it''s', -7, x1, $1, %s FROM T3 LIMIT 21": "SELECT ?, -?, x1, $1, %s FROM T3 LIMIT 21",
    r"SELECT 'C:\', 'secret'": "SELECT ?",
    r"SELECT 'it\'s secret', b": "SELECT ?, b",
    "SELECT $$secret$$, $x$sec'ret$x$ FROM b": "SELECT ?, ? FROM b",
    "SELECT a -- don't\nFROM b WHERE c='secret'": "SELECT a \nFROM b WHERE c=?",
    "SELECT a /* don't */ FROM b WHERE c='secret'": "SELECT a  FROM b WHERE c=?",
    "SELECT 'secret that was cut": "SELECT ?",
    'SELECT 1 AS "a" FROM b WHERE c = 1 LIMIT 1': 'SELECT 1 AS "a" FROM b WHERE c = ? LIMIT 1',
    "SELECT (1), 11, 2": "SELECT (1), ?, ?",
    "SELECT 12": "SELECT ?",
    "INSERT INTO b VALUES (1, 'secret'), (0xFF, 's')": "INSERT INTO b VALUES (?, ?), (?, ?)",
    'SELECT "b"."c1" FROM "b" WHERE "b"."id" = 7': 'SELECT "b"."c1" FROM "b" WHERE "b"."id" = ?',
    "SELECT \"it's\" FROM b WHERE c = 'secret'": "SELECT ? FROM b WHERE c = ?",
}


@pytest.mark.parametrize("key", ["db.query.text", "db.statement"])
@pytest.mark.parametrize(("sent", "expected"), STATEMENTS.items())
def test_literals_in_statements_are_masked(store, key, sent, expected):
    """In the column and in the attribute."""
    (row,) = stored(store, one(**{key: sent}))

    assert MARK.sub("", row["db_statement"]) == expected
    assert row["attributes"][key] == row["db_statement"]


def test_quotes_hold_names_or_text(store):
    """Text in MySQL, names elsewhere."""
    statement = 'SELECT a FROM b WHERE c = "secret"'
    spans = [
        one(db__query__text=statement, db__system=system) for system in ("mysql", "postgresql")
    ]
    rows = stored(store, *spans)

    found = {row["attributes"]["db.system"]: MARK.sub("", row["db_statement"]) for row in rows}

    assert found == {"mysql": "SELECT a FROM b WHERE c = ?", "postgresql": statement}


def test_statements_without_literals_are_left_alone(store):
    """What Django sends is stored as it is."""
    statement = 'SELECT "b"."id", "b"."c1" FROM "b" WHERE "b"."id" IN (%s, %s) LIMIT 21'
    (row,) = stored(store, one(db__query__text=statement))

    assert row["db_statement"] == statement


def test_masked_texts_can_be_told_apart(store):
    """Rules need to know whether a statement, or a call, was the same again."""
    rows = stored(
        store,
        *(one(db__query__text=f"SELECT a FROM b WHERE c = {value}") for value in (1, 2, 1)),
        *(one(url__full=f"https://a.example/b?c={value}") for value in (1, 2, 1)),
    )

    assert len({row["db_statement"] for row in rows} - {""}) == 2
    assert len({row["url"] for row in rows} - {""}) == 2


URLS = {
    "https://user:secret@a.example/b": "https://a.example/b",
    "https://a.example/b?token=secret&c=": "https://a.example/b?token=?&c=?",
    "https://a.example/b?secret#secret": "https://a.example/b??#?",
    "/b/?next=/secret/": "/b/?next=?",
    "https://a.example/b=c/": "https://a.example/b=c/",
}


@pytest.mark.parametrize(("sent", "expected"), URLS.items())
def test_urls_lose_credentials_and_values(store, sent, expected):
    """Names of parameters stay."""
    (row,) = stored(store, one(url__full=sent))

    assert MARK.sub("", row["url"]) == expected
    assert MARK.sub("", row["attributes"]["url.full"]) == expected


ERRORS = {
    'duplicate key violates "b_c_key"\nDETAIL:  Key (c)=(secret) already exists.': (
        'duplicate key violates "b_c_key"\nDETAIL:  Key (c)=(?) already exists'
    ),
    "Failing row contains (7, secret\nsecret, null).": "Failing row contains (?).",
    'invalid input syntax for type integer: "secret"\nLINE 1: SELECT secret\n       ^': (
        'invalid input syntax for type integer: "?"\nLINE 1: ?\n       ^'
    ),
    "(1062, \"Duplicate entry 'sec'ret' for key 'b.c'\")": (
        "(1062, \"Duplicate entry '?' for key 'b.c'\")"
    ),
    "Field 'id' expected a number but got 'secret'.": ("Field 'id' expected a number but got '?'."),
    "boom": "boom",
}


@pytest.mark.parametrize(("sent", "expected"), ERRORS.items())
def test_errors_do_not_repeat_values(store, sent, expected):
    """In the status, in the exception, and in its stack trace."""
    raised = Span.Event(
        name="exception",
        attributes=key_values(
            {
                "exception.type": "IntegrityError",
                "exception.message": sent,
                "exception.stacktrace": f"Traceback\nIntegrityError: {sent}",
            }
        ),
    )
    (row,) = stored(store, one(error=sent, events=(raised,)))
    text = str(row)

    assert row["exception_message"].rstrip(".") == expected.rstrip(".")
    assert row["status_message"] == row["exception_message"]
    assert "secret" not in text
    assert "sec'ret" not in text


@pytest.mark.parametrize("text", ERRORS)
def test_python_masks_as_the_insert_does(store, text):
    """The expression is written once, and means the same to ClickHouse and to Python."""
    masked = Redaction(sql=True, errors=True, urls=True, attributes=()).mask_error(text)
    (row,) = stored(store, one(error=text))

    assert row["status_message"] == masked


def test_denied_attributes_say_so(store):
    """Whatever their type, wherever they stand; others are left alone."""
    raised = Span.Event(name="e", attributes=key_values({"user.password": "secret", "a": 1}))
    denied = {
        "http.request.header.authorization": ["Bearer secret"],
        "db.query.parameter.0": 12345,
        "My_API_Key": "secret",
        "count": 7,
    }
    (row,) = stored(store, one(events=(raised,), **denied))

    assert row["attributes"] == {
        "http.request.header.authorization": "[redacted]",
        "db.query.parameter.0": "[redacted]",
        "My_API_Key": "[redacted]",
        "count": "7",
    }
    assert "secret" not in str(row)


def test_denied_values_can_be_read(store):
    """Where a list or a number was, the API says that it is gone."""
    sent = one(db__query__parameter__0=12345, http__request__header__cookie=["secret"])
    stored(store, sent)
    found = read_span(store, trace_id="01" * 16, span_id=sent.span_id.hex())

    assert found.attributes == {
        "db.query.parameter.0": "[redacted]",
        "http.request.header.cookie": "[redacted]",
    }


SECRETS = {
    "statement": "planted-in-statement",
    "url": "planted-in-url",
    "password": "planted-in-credentials",
    "error": "planted-in-error",
    "header": "planted-in-header",
}


def planted() -> bytes:
    """Return a request with a secret in each place."""
    error = f"Key (c)=({SECRETS['error']}) already exists."
    raised = Span.Event(name="exception", attributes=key_values({"exception.message": error}))
    return request(
        [
            one(
                error=error,
                events=(raised,),
                db__query__text=f"SELECT a FROM b WHERE c = '{SECRETS['statement']}'",
                url__full=f"https://u:{SECRETS['password']}@a.example/?t={SECRETS['url']}",
                http__request__header__cookie=[SECRETS["header"]],
            )
        ],
        resource={"process.command_args": ["app", SECRETS["header"]]},
    )


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, set()),
        (
            {
                "HOTSPAN_REDACT_SQL": "0",
                "HOTSPAN_REDACT_ERRORS": "0",
                "HOTSPAN_REDACT_URLS": "0",
                "HOTSPAN_REDACT_ATTRIBUTES": "[]",
            },
            set(SECRETS.values()),
        ),
    ],
    ids=["on", "off"],
)
def test_no_secret_reaches_the_disk(tmp_path: Path, settings, expected):
    """The files of the store hold none of them, unless redaction is switched off."""
    body = tmp_path / "request"
    body.write_bytes(planted())
    data = tmp_path / "data"
    script = [sys.executable, stored_in_the_clear.__file__, str(data), str(body)]
    env = {"PYTHONPATH": str(Path(stored_in_the_clear.__file__).parents[1]), **settings}
    subprocess.run(script, check=True, cwd=tmp_path, env=env, capture_output=True)
    content = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())

    assert b"https://" in content
    assert {secret for secret in SECRETS.values() if secret.encode() in content} == expected
