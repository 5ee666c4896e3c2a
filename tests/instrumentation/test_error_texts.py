"""Database errors lose the values they repeat."""

import sqlite3

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from hotspan_instrumentation.error_texts import ErrorTextProcessor, mask_error

_UNKNOWN_COMMAND = "unknown command ?, with args beginning with: ? "


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "relation \"shop\" is missing\nLINE 1: SELECT * FROM shop WHERE a = 'jane'\n   ^",
            'relation "shop" is missing\nLINE 1: ?\n   ^',
        ),
        (
            'duplicate key value violates unique constraint "sku"\nDETAIL:  Key (sku)=(S-0) is.',
            'duplicate key value violates unique constraint "sku"\nDETAIL: ?',
        ),
        (
            'invalid input syntax for type integer: "jane"',
            "invalid input syntax for type integer: ?",
        ),
        ("(1062, \"Duplicate entry 'S-0' for key 'sku'\")", "(1062, ?)"),
        ("UNIQUE constraint failed: shop.sku", "UNIQUE constraint failed: shop.sku"),
        ('near "jane": syntax error', "near ?: syntax error"),
        ('unrecognized token: ""jane\ndoe"', "unrecognized token: ?"),
        ("unknown command 'GRT', with args beginning with: 'jane' ", _UNKNOWN_COMMAND),
        (
            "Command # 2 (LPUSH jane (1)) of pipeline caused error: WRONGTYPE Operation",
            "Command # 2 ? of pipeline caused error: WRONGTYPE Operation",
        ),
    ],
)
def test_messages(text, expected):
    """Values go; the names of tables, columns and constraints stay."""
    assert mask_error(text) == expected


def failed_span(run):
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(ErrorTextProcessor())
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    try:
        with provider.get_tracer("test").start_as_current_span("request"):
            run()
    except Exception:  # noqa: BLE001 - any that the test raises
        (span,) = exporter.get_finished_spans()
    (event,) = span.events
    return span.status.description, event.attributes


def test_an_error_that_passes_through():
    """Also the spans that an error passes, and what it was turned into, show no values."""

    def run():
        try:
            sqlite3.connect(":memory:").execute("SELECT 'ok' FROM t WHERE \"jane\n")
        except sqlite3.Error as error:
            raise LookupError("'jane' was not found") from error

    description, attributes = failed_span(run)

    assert description == "LookupError: ? was not found"
    assert attributes["exception.message"] == "? was not found"
    stacktrace = attributes["exception.stacktrace"]
    assert "sqlite3.OperationalError: unrecognized token: ?" in stacktrace
    assert "raise LookupError(\"'jane' was not found\") from error" in stacktrace


def test_other_errors():
    """Errors that are no database's stay as they are."""
    description, _ = failed_span(lambda: {}["jane"])

    assert description == "KeyError: 'jane'"
