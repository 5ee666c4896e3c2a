"""Searching entries: one page at a time, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotspan_collector.api.cursor import Cursor
from hotspan_collector.api.models import TraceSummaries, TraceSummary
from hotspan_collector.api.problems import BadParameterError
from hotspan_collector.api.times import from_nanoseconds
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotspan_collector.api.periods import Period
    from hotspan_collector.database import Database, Row

__all__ = ["TraceSearch", "parse_attributes", "search_traces"]

_QUERIES = load_blocks(__package__ or "", "traces.sql")
_LONGEST_DURATION_NS = 2**63 - 1
# Spans of an entry are looked for this long after the end of the asked period.
_LONGEST_ENTRY_NS = 3_600 * 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceSearch:
    """What is searched for; empty means any."""

    period: Period
    service: str = ""
    environment: str = ""
    kind: str = ""
    name: str = ""
    error: bool | None = None
    min_duration_ms: float | None = None
    max_duration_ms: float | None = None
    attributes: Sequence[tuple[str, str]]
    """Keys and values; a key that stands here twice must have both values, on two spans."""
    cursor: Cursor | None = None
    limit: int


def parse_attributes(pairs: Sequence[str], *, most: int) -> list[tuple[str, str]]:
    """Read `key=value` conditions.

    Raises:
        BadParameterError: one is no pair, or there are more than `most`.

    """
    if len(pairs) > most:
        raise BadParameterError(
            f"query parameter attribute: {len(pairs)} were given, {most} are allowed."
        )
    conditions = []
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not key or not sign:
            raise BadParameterError(
                f"query parameter attribute = {pair!r}: expected key=value, for example "
                "http.request.method=POST."
            )
        conditions.append((key, value))
    return conditions


def search_traces(database: Database, search: TraceSearch) -> TraceSummaries:
    """Return one page of entries."""
    having = _QUERIES["having_attributes"] if search.attributes else ""
    sql = _QUERIES["search_entries"].replace("{having_attributes}", having)
    found = database.rows(sql, _parameters(search))
    page = found[: search.limit]
    findings = _count_findings(database, page)
    return TraceSummaries(
        traces=[_summary(row, findings.get((row["trace"], row["entry"]), 0)) for row in page],
        next_cursor=_cursor_after(page[-1]).encode() if len(found) > search.limit else None,
    )


def _parameters(search: TraceSearch) -> dict[str, object]:
    before = search.cursor or Cursor(
        start_ns=search.period.until_ns, trace_id="f" * 32, entry_span_id="f" * 16
    )
    return {
        **search.period.parameters(),
        "before_ns": before.start_ns,
        "before_trace": before.trace_id,
        "before_entry": before.entry_span_id,
        "service": search.service,
        "environment": search.environment,
        "kind": search.kind,
        "name": search.name,
        "error": "" if search.error is None else str(search.error).lower(),
        "min_duration_ns": _duration_ns(search.min_duration_ms, otherwise=0),
        "max_duration_ns": _duration_ns(search.max_duration_ms, otherwise=_LONGEST_DURATION_NS),
        "keys": [key for key, _ in search.attributes],
        "values": [value for _, value in search.attributes],
        "longest_entry_ns": _LONGEST_ENTRY_NS,
        "limit": search.limit + 1,
    }


def _duration_ns(milliseconds: float | None, *, otherwise: int) -> int:
    return otherwise if milliseconds is None else round(milliseconds * 1e6)


def _count_findings(database: Database, page: Sequence[Row]) -> dict[tuple[str, str], int]:
    if not page:
        return {}
    rows = database.rows(
        _QUERIES["count_findings"],
        {
            "from_ns": page[-1]["start_ns"],
            "to_ns": page[0]["start_ns"],
            "traces": sorted({row["trace"] for row in page}),
        },
    )
    return {(row["trace"], row["entry"]): row["findings"] for row in rows}


def _cursor_after(row: Row) -> Cursor:
    return Cursor(start_ns=row["start_ns"], trace_id=row["trace"], entry_span_id=row["entry"])


def _summary(row: Row, findings: int) -> TraceSummary:
    return TraceSummary(
        trace_id=row["trace"],
        entry_span_id=row["entry"],
        start=from_nanoseconds(row["start_ns"]),
        duration_ms=row["duration_ns"] / 1e6,
        service=row["service"],
        environment=row["environment"],
        version=row["version"],
        kind=row["kind"],
        name=row["name"],
        error=row["error"],
        http_status=row["http_status"] or None,
        task_state=row["task_state"] or None,
        spans=row["spans"],
        queries=row["db_queries"],
        findings=findings,
        partial=row["partial"],
    )
