"""Says why a span is not stored. Mirrors the WHERE of store/insert_spans.sql."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

__all__ = ["explain", "rejections"]

_TRACE_ID_BYTES = 16
_SPAN_ID_BYTES = 8

_ADVICE = {
    "trace_id": "trace_id must be 16 bytes and not all zero",
    "span_id": "span_id must be 8 bytes and not all zero",
    "start": "start_time_unix_nano is missing",
    "old": "older than the retention (HOTSPAN_RETENTION_DAYS); raise it, or do not send old spans",
    "future": "in the future; check the sender's clock (HOTSPAN_FUTURE_TOLERANCE_S)",
    "reversed": "ends before it starts; check the sender's clock",
}


def reason(span: Span, bounds: Mapping[str, int]) -> str | None:  # noqa: PLR0911 (a list)
    """Return why a span is not valid, as a key of the advice, or None when it is.

    Args:
        span: the span.
        bounds: the insert's parameters (`SpanBounds.parameters`).

    """
    if len(span.trace_id) != _TRACE_ID_BYTES or not any(span.trace_id):
        return "trace_id"
    if len(span.span_id) != _SPAN_ID_BYTES or not any(span.span_id):
        return "span_id"
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    if start == 0:
        return "start"
    if start < bounds["oldest_ns"]:
        return "old"
    if max(start, end) > bounds["newest_ns"]:
        return "future"
    if end + bounds["reversed_tolerance_ns"] < start:
        return "reversed"
    return None


def rejections(spans: Iterable[Span], bounds: Mapping[str, int]) -> Counter[str]:
    """Count the spans that are not valid, by reason."""
    return Counter(why for span in spans if (why := reason(span, bounds)) is not None)


def explain(counts: Mapping[str, int]) -> str:
    """Return the message of a partial success: what was rejected, and what to do."""
    return "; ".join(f"{count} spans: {_ADVICE[why]}" for why, count in sorted(counts.items()))
