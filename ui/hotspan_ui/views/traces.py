"""The search for traces: from what people type to the API's query, and its answer as rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from hotspan_ui import links
from hotspan_ui.views import text
from hotspan_ui.views.table import Cell, Column, LinkRow, Tone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from hotspan_ui.models import TraceSummary

COLUMNS: Final = (
    Column("Started", "minmax(8.5rem, 1fr)"),
    Column("Route or task", "minmax(14rem, 2.6fr)"),
    Column("Service", "minmax(7rem, 1.2fr)"),
    Column("Result", "6.5rem"),
    Column("Took", "5.5rem", "end"),
    Column("Queries", "5rem", "end"),
    Column("Spans", "5rem", "end"),
    Column("Findings", "5rem", "end"),
)
_HTTP_ERROR_FROM = 500


class SearchError(ValueError):
    """A field of the search cannot be understood; the message says how to write it."""


@dataclass(frozen=True, slots=True)
class Search:
    """What people filled in; empty means any."""

    service: str = ""
    environment: str = ""
    kind: str = ""
    name: str = ""
    error: str = ""
    min_ms: str = ""
    max_ms: str = ""
    attributes: str = ""
    window: str = ""
    since: str = ""
    until: str = ""

    def query(self, *, now: datetime, zone: ZoneInfo | None = None) -> tuple[tuple[str, str], ...]:
        """Return the parameters of `GET /traces`; times without a zone are in `zone`, or UTC.

        Raises SearchError.
        """
        pairs = [
            ("service", self.service),
            ("environment", self.environment),
            ("kind", self.kind),
            ("name", self.name.strip()),
            ("min_duration_ms", _milliseconds(self.min_ms)),
            ("max_duration_ms", _milliseconds(self.max_ms)),
            ("error", {"yes": "true", "no": "false"}.get(self.error, "")),
            *(("attribute", each) for each in _attributes(self.attributes)),
            ("since", self._since(now, zone)),
            ("until", _utc_text(self.until, zone)),
        ]
        return tuple((name, value) for name, value in pairs if value)

    def _since(self, now: datetime, zone: ZoneInfo | None) -> str:
        window = text.relative_window(self.window)
        return _rfc3339(now - window) if window else _utc_text(self.since, zone)


def table_row(trace: TraceSummary, *, now: datetime, zone: ZoneInfo | None) -> LinkRow:
    """Return a row of the search's result."""
    result, tone = _result(trace)
    findings = text.count(trace.findings) if trace.findings else text.NOTHING
    return LinkRow(
        key=f"{trace.trace_id}/{trace.entry_span_id}",
        url=links.trace(trace.trace_id, span_id=trace.entry_span_id).url,
        cells=(
            Cell(text.moment(trace.start, zone=zone), sub=text.ago(trace.start, now=now)),
            Cell(trace.name, sub=_nature(trace), style="strong"),
            Cell(trace.service, sub=trace.environment),
            Cell(result, style="badge" if tone else "text", tone=tone or "muted"),
            Cell(text.duration(trace.duration_ms)),
            Cell(text.count(trace.queries)),
            Cell(text.count(trace.spans)),
            Cell(findings, tone="warning" if trace.findings else "muted"),
        ),
    )


def points(traces: Sequence[TraceSummary], *, zone: ZoneInfo | None) -> list[dict[str, object]]:
    """Return the result as dots of a chart: when, how long, whether it failed."""
    return [
        {
            "start": trace.start.astimezone(zone or UTC).replace(tzinfo=None).isoformat(),
            "duration_ms": max(trace.duration_ms, 0.001),
            "result": "error" if trace.error else "ok",
            "name": trace.name,
            "took": text.duration(trace.duration_ms),
            "trace_id": trace.trace_id,
            "span_id": trace.entry_span_id,
        }
        for trace in traces
    ]


def time_format(traces: Sequence[TraceSummary]) -> str:
    """Return how the chart writes times, as exact as its width asks for."""
    starts = [trace.start for trace in traces]
    width = max(starts) - min(starts)
    if width < timedelta(minutes=10):
        return "%H:%M:%S"
    return "%H:%M" if width < timedelta(days=1) else "%b %d %H:%M"


def _nature(trace: TraceSummary) -> str:
    parts = [trace.kind, trace.version, "incomplete" if trace.partial else ""]
    return " · ".join(part for part in parts if part)


def _result(trace: TraceSummary) -> tuple[str, Tone]:
    answer = str(trace.http_status) if trace.http_status is not None else trace.task_state or ""
    if trace.error or (trace.http_status or 0) >= _HTTP_ERROR_FROM:
        return answer.lower() or "error", "critical"
    return answer.lower() or "ok", ""


def _milliseconds(value: str) -> str:
    cleaned = value.strip().removesuffix("ms").strip()
    if not cleaned:
        return ""
    try:
        number = float(cleaned)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise SearchError(f"“{value}” is no duration. Write milliseconds, such as 250.")
    return f"{number:g}"


def _attributes(value: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in value.split(",") if part.strip())
    for part in parts:
        key, sign, _ = part.partition("=")
        if not key.strip() or not sign:
            raise SearchError(
                f"“{part}” is no attribute. Write key=value, and a comma between several: "
                "http.route=/orders, db.system.name=postgresql"
            )
    return parts


def _utc_text(value: str, zone: ZoneInfo | None) -> str:
    if not value.strip():
        return ""
    try:
        parsed = datetime.fromisoformat(value.strip())
    except ValueError as error:
        raise SearchError(f"“{value}” is no time. Write it as 2026-11-22T14:30.") from error
    return _rfc3339(parsed if parsed.tzinfo else parsed.replace(tzinfo=zone or UTC))


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
