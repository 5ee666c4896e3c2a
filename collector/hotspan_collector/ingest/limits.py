"""What a request may hold: memory goes by spans and attributes, not by bytes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import TYPE_CHECKING

from hotspan_collector.errors import RequestTooLargeError
from hotspan_collector.ingest.otlp import PIECE_BYTES, census_of, parse_resource, scopes, service_of
from hotspan_collector.ingest.wire import field, fields

if TYPE_CHECKING:
    from collections.abc import Iterator
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
    walk = _Walk(body, limits)
    walk.run()
    losses: Losses = Counter(walk.cuts.values())
    kept = _without(body, walk.cuts.keys()) if walk.cuts else body
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


class _Walk:
    """Looks for spans that are too large, and counts what it passes."""

    def __init__(self, body: bytes, limits: RequestLimits) -> None:
        self._body = body
        self._limits = limits
        self._passed = 0
        self._spans = 0
        self.cuts: dict[int, tuple[str, str]] = {}
        """Where spans begin that are too large, with their service and the reason."""

    def run(self) -> None:
        for number, _, start, end in self._fields(0, len(self._body)):
            if number == _RESOURCE_SPANS:
                self._look_at_resource(start, end)

    def _look_at_resource(self, start: int, end: int) -> None:
        service = ""
        large: list[tuple[int, str]] = []
        for number, _, begin, close in self._fields(start, end):
            if number == _RESOURCE:
                _bound_resource(close - begin, self._limits)
                service = service or service_of(parse_resource(self._body[begin:close]))
            elif number == _SCOPE_SPANS:
                large += self._large_spans(begin, close)
        self.cuts |= {place: (service, reason) for place, reason in large}

    def _large_spans(self, start: int, end: int) -> Iterator[tuple[int, str]]:
        for number, place, begin, close in self._fields(start, end):
            self._spans += number == _SPANS
            _bound_spans(self._spans, self._limits)
            if close - begin > self._limits.max_span_bytes:
                yield place, "span_size"
            elif close - begin > self._limits.max_attribute_bytes:
                sizes = (last - first for _, _, first, last in self._fields(begin, close))
                if max(sizes, default=0) > self._limits.max_attribute_bytes:
                    yield place, "attribute_size"

    def _fields(self, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        for found in fields(self._body, start, end):
            self._passed += 1
            _bound_attributes(self._passed, self._limits)
            yield found


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
