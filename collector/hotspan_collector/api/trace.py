"""Reading one trace, and one span of it.

A trace may have 100,000 spans: they go from ClickHouse to the client as the bytes it wrote, never
as Python objects.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hotspan_collector.api.attributes import attributes
from hotspan_collector.api.findings import finding_from_row
from hotspan_collector.api.models import Code, Span, SpanEvent, SpanLink
from hotspan_collector.api.problems import NotFoundError
from hotspan_collector.api.times import from_nanoseconds
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotspan_collector.database import Database, Row
    from hotspan_collector.rules.catalogue import Catalogue

__all__ = ["read_span", "read_trace"]

_QUERIES = load_blocks(__package__ or "", "traces.sql")
_MARGIN_NS = 3_600 * 1_000_000_000
_LATEST_NS = 7_258_118_400 * 1_000_000_000  # the year 2200
_MOST_FINDINGS = 1_000
_NO_SPAN = "0" * 16
# Findings are read while spans are.
_BESIDE = ThreadPoolExecutor(max_workers=8, thread_name_prefix="api-findings")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where the spans and the findings of a trace are."""

    trace_id: str
    started_ns: int
    ended_ns: int
    is_evaluated: bool
    is_pinned: bool
    """It is kept as evidence, beyond its retention."""

    @property
    def spans(self) -> str:
        """The table, or what stands in for it, as SQL."""
        return _QUERIES["spans_and_pinned"] if self.is_pinned else "spans"

    def bounds(self, *, margin_ns: int = 0) -> dict[str, object]:
        """Return the parameters that say which trace it is, and when."""
        return {
            "trace_id": self.trace_id,
            "from_ns": self.started_ns - margin_ns,
            "to_ns": self.ended_ns + margin_ns,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    place: _Place
    started_ns: int
    ended_ns: int
    services: list[str]
    spans: int


def read_trace(database: Database, catalogue: Catalogue, *, trace_id: str, max_spans: int) -> bytes:
    """Return a trace as the JSON of `Trace`, its spans by start; at most `max_spans` of them.

    Raises:
        NotFoundError: no span of it is stored.

    """
    place = _find(database, trace_id)
    reading = _BESIDE.submit(_read_findings, database, place)
    header = _read_header(database, place)
    lines = database.json_bytes(
        _QUERIES["trace_spans"].replace("{spans}", place.spans),
        {**header.place.bounds(), "started_ns": header.started_ns, "limit": max_spans},
    )
    findings = reading.result()
    head = {
        "trace_id": trace_id,
        "start": _rfc3339(header.started_ns),
        "duration_ms": (header.ended_ns - header.started_ns) / 1e6,
        "services": header.services,
        "truncated": header.spans > max_spans,
        "total_spans": header.spans,
        "findings": [finding_from_row(catalogue, row).model_dump(mode="json") for row in findings],
    }
    opened = json.dumps(head, ensure_ascii=False).encode().removesuffix(b"}")
    return b"".join((opened, b',"spans":[', lines.rstrip(b"\n").replace(b"\n", b","), b"]}"))


def _read_findings(database: Database, place: _Place) -> Sequence[Row]:
    if not place.is_evaluated:
        return ()
    source = "known_findings" if place.is_pinned else "findings"
    current = "" if place.is_pinned else _QUERIES["of_latest_evaluation"]
    sql = _QUERIES["trace_findings"].replace("{findings}", source).replace("{current}", current)
    return database.rows(sql, {**place.bounds(), "limit": _MOST_FINDINGS})


def read_span(database: Database, *, trace_id: str, span_id: str) -> Span:
    """Return a span with all it carries.

    Raises:
        NotFoundError: it is not stored.

    """
    header = _read_header(database, _find(database, trace_id))
    query = _QUERIES["span"].replace("{spans}", header.place.spans)
    rows = database.rows(query, {**header.place.bounds(), "span_id": span_id})
    if not rows:
        raise NotFoundError(f"Trace {trace_id} has no span {span_id}.")
    span = _span(rows[0], trace_started_ns=header.started_ns)
    logged = database.rows(_QUERIES["span_exceptions"], {"trace_id": trace_id, "span_id": span_id})
    events = [_logged_exception(each, started_ns=rows[0]["start_ns"]) for each in logged]
    return span.model_copy(update={"events": [*span.events, *events]})


def _find(database: Database, trace_id: str) -> _Place:
    """Ask what the evaluator knows of a trace: of one that has just come, nothing."""
    known = database.rows(_QUERIES["trace_bounds"], {"trace_id": trace_id})
    return _Place(
        trace_id=trace_id,
        started_ns=known[0]["started_ns"] if known else 0,
        ended_ns=known[0]["ended_ns"] if known else _LATEST_NS,
        is_evaluated=bool(known),
        is_pinned=bool(known and known[0]["is_pinned"]),
    )


def _read_header(database: Database, place: _Place) -> _Header:
    # Spans may come after the bounds of their trace were last written.
    asked = place.bounds(margin_ns=_MARGIN_NS if place.is_evaluated else 0)
    row = database.rows(_QUERIES["trace_header"].replace("{spans}", place.spans), asked)[0]
    if not row["spans"]:
        raise NotFoundError(
            f"No span of trace {place.trace_id} is stored: it has not come yet, or it is older "
            "than the retention."
        )
    started_ns, ended_ns = row["started_ns"], row["ended_ns"]
    if place.is_evaluated:
        started_ns, ended_ns = min(started_ns, place.started_ns), max(ended_ns, place.ended_ns)
    return _Header(
        place=replace(place, started_ns=started_ns, ended_ns=ended_ns),
        started_ns=row["started_ns"],
        ended_ns=row["ended_ns"],
        services=list(row["services"]),
        spans=row["spans"],
    )


def _span(row: Row, *, trace_started_ns: int) -> Span:
    return Span(
        span_id=row["id"],
        parent_span_id=None if row["parent"] == _NO_SPAN else row["parent"],
        entry_span_id=None if row["entry"] == _NO_SPAN else row["entry"],
        name=row["name"],
        service=row["service"],
        kind=row["span_kind"],
        start_us=(row["start_ns"] - trace_started_ns) / 1000,
        duration_us=row["duration_ns"] / 1000,
        status=row["span_status"],
        statement=row["db_statement"] or None,
        statement_fingerprint=None if row["fingerprint"] == "0" else row["fingerprint"],
        code=_code(row),
        start=from_nanoseconds(row["start_ns"]),
        status_message=row["status_message"],
        trace_state=row["trace_state"],
        flags=row["flags"],
        dropped_attributes=row["dropped_attributes"],
        dropped_events=row["dropped_events"],
        dropped_links=row["dropped_links"],
        scope_name=row["scope_name"],
        scope_version=row["scope_version"],
        scope=attributes(row["scope_keys"], row["scope_values"], row["scope_types"]),
        dropped_scope_attributes=row["dropped_scope_attributes"],
        dropped_resource_attributes=row["dropped_resource_attributes"],
        attributes=attributes(
            row["attribute_keys"], row["attribute_values"], row["attribute_types"]
        ),
        resource=attributes(row["resource_keys"], row["resource_values"], row["resource_types"]),
        events=_events(row),
        links=_links(row),
    )


def _code(row: Row) -> Code | None:
    if not row["code_file"]:
        return None
    return Code(file=row["code_file"], line=row["code_line"], function=row["code_function"])


def _logged_exception(row: Row, *, started_ns: int) -> SpanEvent:
    texts = {f"exception.{name}": row[name] for name in ("type", "message", "stacktrace")}
    return SpanEvent(
        name="exception",
        offset_us=(row["time_unix_nano"] - started_ns) / 1000,
        attributes={name: text for name, text in texts.items() if text},
    )


def _events(row: Row) -> list[SpanEvent]:
    parts = ("event_names", "event_times", "event_keys", "event_values", "event_types")
    return [
        SpanEvent(
            name=name,
            offset_us=(time_ns - row["start_ns"]) / 1000,
            attributes=attributes(keys, values, types),
        )
        for name, time_ns, keys, values, types in zip(*(row[part] for part in parts), strict=True)
    ]


def _links(row: Row) -> list[SpanLink]:
    parts = ("link_traces", "link_spans", "link_states", "link_keys", "link_values", "link_types")
    return [
        SpanLink(
            trace_id=trace,
            span_id=span,
            trace_state=state,
            attributes=attributes(keys, values, types),
        )
        for trace, span, state, keys, values, types in zip(
            *(row[part] for part in parts), strict=True
        )
    ]


def _rfc3339(value_ns: int) -> str:
    return from_nanoseconds(value_ns).isoformat().replace("+00:00", "Z")
