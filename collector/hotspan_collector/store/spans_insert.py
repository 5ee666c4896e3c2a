"""The insert that lets ClickHouse decode OTLP (docs/adr/0001-clickhouse-decodes-otlp.md)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from hotspan_collector.sql import load_blocks
from hotspan_collector.store.retention import DAY_NS, Retention

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hotspan_collector.store.redaction import Redaction

__all__ = [
    "EMBEDDED_FORMAT",
    "SERVER_FORMAT",
    "SpanBounds",
    "delimited",
    "insert_statement",
    "request_structure",
]

_ANY_VALUE = (
    "Tuple(string_value Nullable(String), bool_value Nullable(Bool), int_value Nullable(Int64), "
    "double_value Nullable(Float64), array_value Nullable(String), kvlist_value Nullable(String), "
    "bytes_value Nullable(String))"
)

_FILES = files(__package__)

_LOW_BITS = 0x7F

_MESSAGE = "ExportTraceServiceRequest"

# A server takes the schema as text.
SERVER_FORMAT: dict[str, object] = {
    "format_schema_source": "string",
    "format_schema": _FILES.joinpath("otlp_trace.proto").read_text("utf-8"),
    "format_schema_message_name": _MESSAGE,
}

# The embedded engine would write such a text into the working directory; a file it only reads.
EMBEDDED_FORMAT: dict[str, object] = {
    "format_schema": f"{_FILES.joinpath('otlp_trace.proto')}:{_MESSAGE}",
}


def delimited(messages: Sequence[bytes]) -> Iterator[bytes]:
    """Yield what ClickHouse's format Protobuf is made of: lengths, as varints, and messages."""
    for message in messages:
        yield _varint(len(message))
        yield message


def _varint(number: int) -> bytes:
    digits = bytearray()
    while number > _LOW_BITS:
        digits.append(number & _LOW_BITS | _LOW_BITS + 1)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def request_structure() -> str:
    """Return ExportTraceServiceRequest as a ClickHouse table structure."""
    text = _FILES.joinpath("otlp_trace.structure").read_text("utf-8")
    return text.replace("{key_values}", f"Array(Tuple(key String, value {_ANY_VALUE}))").strip()


def insert_statement(source: str, redaction: Redaction, retention: Retention) -> str:
    """Return the statement that stores what `source`, a table function, decodes."""
    statement = load_blocks(__package__ or "", "insert_spans.sql")["insert_spans"]
    places = {"{source}": source, **redaction.expressions(), **retention.expressions()}
    for place, expression in places.items():
        statement = statement.replace(place, expression)
    return statement


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanBounds:
    """The times a span may have, relative to now."""

    retention: Retention
    future_tolerance_s: float
    reversed_tolerance_ms: float

    def parameters(self, now_ns: int | None = None) -> dict[str, int]:
        """Return the bounds as the insert's parameters, in nanoseconds since 1970."""
        now = time.time_ns() if now_ns is None else now_ns
        return {
            "oldest_ns": max(1, now - self.retention.days * DAY_NS),
            "newest_ns": now + int(self.future_tolerance_s * 1e9),
            "reversed_tolerance_ns": int(self.reversed_tolerance_ms * 1e6),
        }

    def for_each_service(self, now_ns: int | None = None) -> dict[str, int]:
        """Return the same, and `oldest_ns:NAME` for services with a retention of their own."""
        known = self.parameters(now_ns)
        days = self.retention.days
        own = {
            f"oldest_ns:{service}": max(1, known["oldest_ns"] + (days - own_days) * DAY_NS)
            for service, own_days in self.retention.by_service.items()
        }
        return {**known, **own}
