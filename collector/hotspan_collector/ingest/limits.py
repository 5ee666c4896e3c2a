"""What a request may hold: memory goes by spans and attributes, not by bytes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import TYPE_CHECKING

from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from hotspan_collector.errors import RequestTooLargeError
from hotspan_collector.ingest.otlp import PIECE_BYTES, census_of, scopes, service_of
from hotspan_collector.ingest.wire import field, fields

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from hotspan_collector.ingest.ledger import Census, Losses

__all__ = ["Checked", "RequestLimits", "check"]

# Of the request, of ResourceSpans, of ScopeSpans
_RESOURCE_SPANS, _RESOURCE, _SCOPE_SPANS, _SPANS = 1, 1, 2, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLimits:
    """What one request may hold."""

    max_spans: int
    max_attributes: int
    max_attribute_bytes: int
    max_span_bytes: int


@dataclass(frozen=True, slots=True)
class Checked:
    """A request that can be stored."""

    body: bytes
    census: Census
    """Its spans by service; those that were taken out do not count."""
    losses: Losses = attribute(default_factory=Counter)
    """Spans that were taken out because they are too large."""


def check(body: bytes, limits: RequestLimits) -> Checked:
    """Check a serialized request, and take out spans that are too large.

    Raises:
        MalformedRequestError: it is not an ExportTraceServiceRequest.
        RequestTooLargeError: it holds more than one request may.

    """
    if len(body) <= PIECE_BYTES:
        census = census_of(body)
        _bound_spans(sum(census.values()), limits)
        return Checked(body, census)
    cuts = _find_cuts(body, limits)
    losses: Losses = Counter((service, reason) for service, reason in cuts.values())
    kept = _without(body, cuts.keys()) if cuts else body
    census = {}
    attributes = 0
    for service, scope in scopes(kept):
        census[service] = census.get(service, 0) + len(scope.spans)
        attributes += sum(_attributes_of(span) for span in scope.spans)
        _bound_attributes(attributes, limits)
    return Checked(kept, census, losses)


def _attributes_of(span: Span) -> int:
    """Count what takes memory in the store: attributes, events, links, and theirs."""
    return (
        len(span.attributes)
        + sum(1 + len(event.attributes) for event in span.events)
        + sum(1 + len(link.attributes) for link in span.links)
    )


def _find_cuts(body: bytes, limits: RequestLimits) -> dict[int, tuple[str, str]]:
    """Return where spans begin that are too large, with their service and the reason."""
    cuts: dict[int, tuple[str, str]] = {}
    spans = groups = 0
    for number, _, start, end in fields(body, 0, len(body)):
        groups += 1
        service = ""
        large: list[tuple[int, str]] = []
        for part, _, begin, close in fields(body, start, end) if number == _RESOURCE_SPANS else ():
            groups += 1
            _bound_attributes(groups, limits)
            if part == _RESOURCE:
                _bound_resource(close - begin, limits)
                service = service or service_of(Resource.FromString(body[begin:close]))
            elif part == _SCOPE_SPANS:
                for item, place, first, last in fields(body, begin, close):
                    spans += item == _SPANS
                    _bound_spans(spans, limits)
                    if last - first > limits.max_attribute_bytes:
                        reason = _too_large(body, first, last, limits)
                        large += [(place, reason)] if reason else []
        cuts |= {place: (service, reason) for place, reason in large}
    return cuts


def _too_large(body: bytes, start: int, end: int, limits: RequestLimits) -> str:
    if end - start > limits.max_span_bytes:
        return "span_size"
    sizes = (last - first for _, _, first, last in fields(body, start, end))
    return "attribute_size" if any(size > limits.max_attribute_bytes for size in sizes) else ""


def _without(body: bytes, cuts: AbstractSet[int]) -> bytes:
    """Return the request without the spans that begin at some places."""
    resources = []
    for number, _, start, end in fields(body, 0, len(body)):
        if number != _RESOURCE_SPANS:
            continue
        parts = []
        for part, place, begin, close in fields(body, start, end):
            if part == _SCOPE_SPANS:
                items = fields(body, begin, close)
                kept = b"".join(body[at:last] for _, at, _, last in items if at not in cuts)
                parts.append(field(_SCOPE_SPANS, kept))
            else:
                parts.append(body[place:close])
        resources.append(field(_RESOURCE_SPANS, b"".join(parts)))
    return b"".join(resources)


def _bound_spans(spans: int, limits: RequestLimits) -> None:
    if spans > limits.max_spans:
        raise RequestTooLargeError(
            f"The request holds more than {limits.max_spans} spans (HOTSPAN_MAX_REQUEST_SPANS); "
            "send smaller batches (OTEL_BSP_MAX_EXPORT_BATCH_SIZE)."
        )


def _bound_attributes(attributes: int, limits: RequestLimits) -> None:
    if attributes > limits.max_attributes:
        raise RequestTooLargeError(
            f"The request holds more than {limits.max_attributes} attributes, events and links "
            "(HOTSPAN_MAX_REQUEST_ATTRIBUTES); send smaller batches "
            "(OTEL_BSP_MAX_EXPORT_BATCH_SIZE)."
        )


def _bound_resource(size: int, limits: RequestLimits) -> None:
    if size > limits.max_attribute_bytes:
        raise RequestTooLargeError(
            f"A resource of the request takes {size} bytes, more than an attribute may "
            f"({limits.max_attribute_bytes}, HOTSPAN_MAX_ATTRIBUTE_BYTES); send fewer or shorter "
            "resource attributes (OTEL_RESOURCE_ATTRIBUTES)."
        )
