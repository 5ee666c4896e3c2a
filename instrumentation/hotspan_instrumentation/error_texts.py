"""The texts of database errors, without the values they repeat.

PostgreSQL quotes the statement and the row, MySQL the value, Redis the command; and the text is on
every span that the exception passes, with its traceback.
"""

import re
from typing import Any, Final

from opentelemetry.sdk.trace import Span, SpanProcessor
from opentelemetry.semconv.attributes.exception_attributes import (
    EXCEPTION_MESSAGE,
    EXCEPTION_STACKTRACE,
)
from opentelemetry.trace import Status

from hotspan_instrumentation import guard
from hotspan_instrumentation.entry import change_attributes

_DRIVERS: Final = "|".join(
    (
        *("psycopg", "psycopg2", "sqlite3", "MySQLdb", "pymysql", "oracledb"),
        *(r"django\.db", r"asyncpg", r"aiosqlite", r"redis"),
    )
)
_DATABASE_ERROR: Final = re.compile(rf"^(?:{_DRIVERS})\.[\w.]+(?::|$)", re.MULTILINE)

_VALUES: Final = re.compile(
    r"^(?P<line>LINE \d+|DETAIL|CONTEXT|WHERE|QUERY|STATEMENT):.*"
    # What is quoted after one of these words is a name.
    r"|(?P<name>\b(?:column|relation|table|constraint|index|type|function|schema|database|sequence"
    r'|role|user|cursor|operator|savepoint|trigger) "[^"]*")'
    # SQLite repeats the statement's rest, and Redis a pipeline's command, whatever is in them.
    r"|(?P<rest>unrecognized token: )(?s:.*)|(?P<command>Command # \d+ )\(.*\)(?= of pipeline)"
    r"""|'(?:[^'\\]|\\.|'')*(?:'|$)|"(?:[^"\\]|\\.|"")*(?:"|$)""",
    re.MULTILINE,
)
_HEADINGS: Final = ("Traceback ", "The above exception", "During handling")


class ErrorTextProcessor(SpanProcessor):
    """Mask the values in database errors that a span has recorded."""

    def _on_ending(self, span: Span) -> None:
        try:
            if span._events:  # noqa: SLF001 - the public property copies them
                _mask_events(span)
        except Exception:  # noqa: BLE001 - a guard without a call more
            guard.report_failure(f"{__name__}.{ErrorTextProcessor.__qualname__}")


def mask_error(text: str) -> str:
    """Return an error's message without the values in it; names of tables and columns stay."""
    return _VALUES.sub(_mask, text)


def mask_stacktrace(text: str) -> str:
    """Do so with the messages in a traceback; its lines of code stay."""
    return "\n".join(
        line if line.startswith((" ", *_HEADINGS)) else mask_error(line)
        for line in text.split("\n")
    )


def _mask(match: re.Match[str]) -> str:
    if match["name"]:
        return match[0]
    if match["line"]:
        return f"{match['line']}: ?"
    return f"{match['rest'] or match['command'] or ''}?"


def _mask_events(span: Span) -> None:
    failed = False
    for event in span._events:  # noqa: SLF001 - likewise
        attributes: Any = event.attributes or {}
        stacktrace = str(attributes.get(EXCEPTION_STACKTRACE, ""))
        if not _DATABASE_ERROR.search(stacktrace):
            continue
        failed = True
        message = str(attributes.get(EXCEPTION_MESSAGE, ""))
        change_attributes(
            event._attributes,  # noqa: SLF001 - likewise
            {
                EXCEPTION_MESSAGE: mask_error(message),
                EXCEPTION_STACKTRACE: mask_stacktrace(stacktrace),
            },
        )
    if failed and span.status.description:
        masked = mask_error(span.status.description)
        span._status = Status(span.status.status_code, masked)  # noqa: SLF001 - it has ended
