"""What stands above the waterfall of a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotspan_ui.views import text

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from hotspan_ui.models import Trace


def title(trace: Trace) -> str:
    """Return the name of the span that began it."""
    spans = trace.spans
    known = {span.span_id for span in spans}
    first = next((each for each in spans if each.parent_span_id not in known), None)
    return text.one_line(first.name, limit=160) if first else f"Trace {trace.trace_id}"


def headline(trace: Trace, *, zone: ZoneInfo | None) -> tuple[str, ...]:
    """When, how long, how much and where, in short parts."""
    return (
        text.duration(trace.duration_ms),
        text.moment(trace.start, zone=zone),
        f"{text.count(trace.total_spans)} spans",
        ", ".join(trace.services),
        f"trace {trace.trace_id}",
    )


def warnings(trace: Trace) -> tuple[str, ...]:
    """Return what is missing of the trace, so that nobody draws conclusions from it."""
    found = []
    if trace.truncated:
        found.append(
            f"Only the first {text.count(len(trace.spans))} of {text.count(trace.total_spans)} "
            "spans are shown."
        )
    known = {span.span_id for span in trace.spans}
    missing = {span.parent_span_id for span in trace.spans if span.parent_span_id} - known
    if missing and not trace.truncated:
        number = len(missing)
        found.append(
            f"{text.count(number)} parent {'span has' if number == 1 else 'spans have'} not "
            "arrived: still running, lost, or in a service that sends its spans elsewhere."
        )
    return tuple(found)
