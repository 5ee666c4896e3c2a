"""Searching entries: one page at a time, newest first."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hotspan_collector.api.cursor import Cursor
from hotspan_collector.api.models import TraceSummaries, TraceSummary
from hotspan_collector.api.problems import BadParameterError
from hotspan_collector.api.times import from_nanoseconds
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hotspan_collector.api.periods import Period
    from hotspan_collector.database import Database, Row

__all__ = ["TraceSearch", "entries_with_all", "parse_attributes", "search_traces"]

_QUERIES = load_blocks(__package__ or "", "traces.sql")
# Spans of an entry are looked for this long after the end of the asked period.
_LONGEST_ENTRY_NS = 3_600 * 1_000_000_000
# A page is looked for in the newest part of the period first, and then in all of it. The tables are
# sorted by five minutes: less than some of them is not read faster.
_PARTS = 32
_SHORTEST_NS = 1_800 * 1_000_000_000
# Attributes are rare that no more spans have: the ids of their traces fit into a parameter.
_MOST_SPANS = 2_000
_MOST_ENTRIES = 10_000
_NO_SPAN = "0" * 16
# As ClickHouse writes text within a tuple.
_ESCAPED = str.maketrans(
    {
        **{character: f"\\{character}" for character in "\\'"},
        **dict(zip("\b\f\n\r\t\0", ("\\b", "\\f", "\\n", "\\r", "\\t", "\\0"), strict=True)),
    }
)

_WHERE = {
    name: _QUERIES[f"where_{name}"]
    for name in (
        "cursor",
        "service",
        "environment",
        "kind",
        "name",
        "error",
        "min_duration_ns",
        "max_duration_ns",
        "traces",
        "attributes",
    )
}
_Evaluation = tuple[str, str, int]
"""Trace, entry and generation."""


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
    found = _find(database, search)
    page = found[: search.limit]
    findings = _count_findings(database, page)
    return TraceSummaries(
        traces=[_summary(row, findings.get(_evaluation(row), 0)) for row in page],
        next_cursor=_cursor_after(page[-1]).encode() if len(found) > search.limit else None,
    )


def _find(database: Database, search: TraceSearch) -> Sequence[Row]:
    """Return the entries of a page, and the one after it."""
    parameters = _parameters(search)
    if search.attributes:
        rare = _find_rare(database, parameters)
        if rare is not None:
            return rare
    newest = {**parameters, "since_ns": _newest_part(parameters)}
    found = database.rows(_statement(newest), newest)
    if len(found) > search.limit or newest == parameters:
        return found
    return database.rows(_statement(parameters), parameters)


def _find_rare(database: Database, parameters: Mapping[str, Any]) -> Sequence[Row] | None:
    """Return the entries with attributes that few spans have; None: too many have them."""
    sql = _filled(_QUERIES["spans_with_values"], parameters)
    spans = database.rows(sql, {**parameters, "most_spans": _MOST_SPANS + 1})
    if not spans:
        return ()
    if len(spans) > _MOST_SPANS:
        return None
    near = {
        **_without_attributes(parameters),
        "traces": sorted({span["trace"] for span in spans}),
        "limit": _MOST_ENTRIES + 1,
    }
    entries = database.rows(_statement(near), near)
    if len(entries) > _MOST_ENTRIES:
        return None
    with_all = entries_with_all(entries, spans, conditions=len(parameters["keys"]))
    return with_all[: parameters["limit"]]


def _without_attributes(parameters: Mapping[str, Any]) -> dict[str, Any]:
    of_attributes = {"attributes", "keys", "values", "told", "longest_entry_ns"}
    return {name: value for name, value in parameters.items() if name not in of_attributes}


def entries_with_all(
    entries: Sequence[Row], spans: Sequence[Row], *, conditions: int
) -> Sequence[Row]:
    """Return the entries on whose spans all conditions are found, as `where_attributes` does.

    Stock spans do not say which entry they belong to: then service and time decide.
    """
    by_trace = defaultdict(list)
    for span in spans:
        by_trace[span["trace"], span["service"]].append(span)

    def has_all(entry: Row) -> bool:
        until_ns = entry["start_ns"] + entry["duration_ns"]
        found = {
            number
            for span in by_trace[entry["trace"], entry["service"]]
            if span["entry"] == entry["entry"]
            or (span["entry"] == _NO_SPAN and entry["start_ns"] <= span["start_ns"] <= until_ns)
            for number in span["found"]
        }
        return len(found) == conditions

    return [entry for entry in entries if has_all(entry)]


def _newest_part(parameters: Mapping[str, Any]) -> int:
    """Return since when entries are looked for at first: a busy service fills a page soon."""
    since_ns, until_ns = parameters["since_ns"], parameters["until_ns"]
    length_ns = max((until_ns - since_ns) // _PARTS, _SHORTEST_NS)
    return int(max(since_ns, until_ns - length_ns))


def _statement(parameters: Mapping[str, object]) -> str:
    """Return the search with the conditions whose parameters are given."""
    conditions = [
        _filled(block, parameters) for name, block in _WHERE.items() if name in parameters
    ]
    return _QUERIES["search_entries"].replace("{conditions}", "\n    ".join(conditions))


def _filled(block: str, parameters: Mapping[str, object]) -> str:
    """Return a statement with what those about attributes have in common."""
    where_service = _WHERE["service"] if "service" in parameters else ""
    block = block.replace("{spans_with_any}", _QUERIES["spans_with_any"])
    return block.replace("{where_service}", where_service)


def _parameters(search: TraceSearch) -> dict[str, object]:
    """Return the parameters of what is asked for, and of nothing else."""
    asked: dict[str, object] = {
        "service": search.service,
        "environment": search.environment,
        "kind": search.kind,
        "name": search.name,
        "error": "" if search.error is None else str(search.error).lower(),
        "min_duration_ns": _nanoseconds(search.min_duration_ms),
        "max_duration_ns": _nanoseconds(search.max_duration_ms),
    }
    parameters = {name: value for name, value in asked.items() if value not in {"", None}}
    parameters |= search.period.parameters() | {"limit": search.limit + 1}
    if search.cursor:
        parameters |= _below(search.cursor, until_ns=search.period.until_ns)
    if search.attributes:
        parameters |= {
            "attributes": len(search.attributes),
            "keys": [key for key, _ in search.attributes],
            "values": [value for _, value in search.attributes],
            "told": [_told(key, value) for key, value in search.attributes],
            "longest_entry_ns": _LONGEST_ENTRY_NS,
        }
    return parameters


def _told(key: str, value: str) -> str:
    """Return an attribute as it stands in the text of a resource, up to its type."""
    return f"('{key.translate(_ESCAPED)}','{value.translate(_ESCAPED)}',"


def _below(cursor: Cursor, *, until_ns: int) -> dict[str, object]:
    return {
        "cursor": "",
        "until_ns": min(until_ns, cursor.start_ns + 1),
        "before_ns": cursor.start_ns,
        "before_trace": cursor.trace_id,
        "before_entry": cursor.entry_span_id,
    }


def _nanoseconds(milliseconds: float | None) -> int | None:
    return None if milliseconds is None else round(milliseconds * 1e6)


def _count_findings(database: Database, page: Sequence[Row]) -> dict[_Evaluation, int]:
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
    return {_evaluation(row): row["findings"] for row in rows}


def _evaluation(row: Row) -> _Evaluation:
    return (row["trace"], row["entry"], row["generation"])


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
