"""Halves requests, to find the spans that a store refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from hotspan_collector.ingest.otlp import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

__all__ = ["halve"]


def halve(body: bytes) -> tuple[bytes, bytes]:
    """Return two requests that hold the spans of one, in order."""
    request = parse(body)
    located = list(_located(request))
    middle = len(located) // 2
    return _request(request, located[:middle]), _request(request, located[middle:])


_Place = tuple[int, int, "Span"]


def _located(request: ExportTraceServiceRequest) -> Iterator[_Place]:
    for number, resource in enumerate(request.resource_spans):
        for place, scope in enumerate(resource.scope_spans):
            for span in scope.spans:
                yield number, place, span


def _request(whole: ExportTraceServiceRequest, located: list[_Place]) -> bytes:
    part = ExportTraceServiceRequest()
    last: tuple[int, int] | None = None
    for number, place, span in located:
        source = whole.resource_spans[number]
        if last is None or last[0] != number:
            part.resource_spans.add(resource=source.resource, schema_url=source.schema_url)
        if last != (number, place):
            scope = source.scope_spans[place]
            part.resource_spans[-1].scope_spans.add(scope=scope.scope, schema_url=scope.schema_url)
        part.resource_spans[-1].scope_spans[-1].spans.append(span)
        last = (number, place)
    serialized: bytes = part.SerializeToString()
    return serialized
