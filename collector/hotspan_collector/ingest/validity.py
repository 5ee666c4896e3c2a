"""Says why a span is not stored. Mirrors the arrayFilter of store/insert_spans.sql."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hotspan_collector.ingest.otlp import scopes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from hotspan_collector.ingest.ledger import Losses

__all__ = ["explain", "reason", "rejections"]

_TRACE_ID_BYTES = 16
_SPAN_ID_BYTES = 8

_ADVICE = {
    "trace_id": "trace_id must be 16 bytes and not all zero",
    "span_id": "span_id must be 8 bytes and not all zero",
    "start": "start_time_unix_nano is missing",
    "old": "older than the retention (HOTSPAN_RETENTION_DAYS); raise it, or do not send old spans",
    "future": "in the future; check the sender's clock (HOTSPAN_FUTURE_TOLERANCE_S)",
    "reversed": "ends before it starts (by more than HOTSPAN_REVERSED_TOLERANCE_MS); check the "
    "sender's clock",
    "attribute_size": "an attribute, event or link is larger than HOTSPAN_MAX_ATTRIBUTE_BYTES; "
    "shorten it (OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT)",
    "span_size": "larger than HOTSPAN_MAX_SPAN_BYTES; send less with it "
    "(OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT, OTEL_SPAN_EVENT_COUNT_LIMIT)",
    "end": "end_time_unix_nano is missing",
    "refused": "the store refuses them, and the quarantine is full (HOTSPAN_QUARANTINE_MAX_BYTES)",
    "quarantined": "the store refuses them; they are kept for a look: hotspan quarantine",
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
    if end == 0:
        return "end"
    if start < bounds["oldest_ns"]:
        return "old"
    if max(start, end) > bounds["newest_ns"]:
        return "future"
    if end + bounds["reversed_tolerance_ns"] < start:
        return "reversed"
    return None


def rejections(body: bytes, bounds: Mapping[str, int]) -> Losses:
    """Count the spans of a serialized request that are not valid, by service and reason."""
    return Counter(
        (service, why)
        for service, scope in scopes(body)
        for own in (_of_service(bounds, service),)
        for span in scope.spans
        if (why := reason(span, own)) is not None
    )


def _of_service(bounds: Mapping[str, int], service: str) -> Mapping[str, int]:
    oldest_ns = bounds.get(f"oldest_ns:{service}")
    return bounds if oldest_ns is None else {**bounds, "oldest_ns": oldest_ns}


def explain(losses: Losses) -> str:
    """Return the message of a partial success: what was rejected, and what to do."""
    counts: Counter[str] = Counter()
    for (_, why), spans in losses.items():
        counts[why] += spans
    return "; ".join(f"{count} spans: {_ADVICE[why]}" for why, count in sorted(counts.items()))
