"""Reads OTLP trace requests just far enough to trust them with ClickHouse.

The bytes go on as they came. They are parsed once, by protobuf's C library, to refuse what is not
OTLP and to count spans; Python looks at single spans only when some are missing from the store.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar, cast

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans

from hotspan_collector.errors import MalformedRequestError
from hotspan_collector.ingest.utf8 import find_invalid_text
from hotspan_collector.ingest.wire import fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import Descriptor
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from hotspan_collector.ingest.ledger import Census

__all__ = [
    "PIECE_BYTES",
    "census_of",
    "parse",
    "parse_resource",
    "scopes",
    "service_of",
    "spans_of",
]

PIECE_BYTES = 1024 * 1024
"""Larger requests are parsed in pieces: messages take up to 50 times the bytes they came in."""

_RESOURCE_SPANS = 1  # of the request
_RESOURCE, _SCOPE_SPANS = 1, 2  # of ResourceSpans
_SERVICE_NAME = "service.name"
# Processes tell the same resource over and over: looking it up takes half as long as reading it.
# What is remembered takes 4 MiB at most.
_REMEMBERED_RESOURCES = 1024
_LONGEST_REMEMBERED_BYTES = 4096
_M = TypeVar("_M", bound=Message)


def parse(body: bytes) -> ExportTraceServiceRequest:
    """Parse a serialized request.

    Raises:
        MalformedRequestError: the bytes are not one; strings must be UTF-8.

    """
    request: ExportTraceServiceRequest = _parsed(ExportTraceServiceRequest, body)
    return request


def spans_of(request: ExportTraceServiceRequest) -> Iterator[Span]:
    """Yield the spans of a request."""
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            yield from scope.spans


def scopes(body: bytes) -> Iterator[tuple[str, ScopeSpans]]:
    """Yield the spans of a serialized request with their service, some megabytes at a time.

    Raises:
        MalformedRequestError: as `parse` does.

    """
    if len(body) <= PIECE_BYTES:
        for resource in parse(body).resource_spans:
            service = service_of(resource.resource)
            for scope in resource.scope_spans:
                yield service, scope
        return
    for number, _, start, end in fields(body, 0, len(body)):
        if number == _RESOURCE_SPANS:
            yield from _scopes_of_resource(body, start, end)


def census_of(body: bytes) -> Census:
    """Count the spans of a serialized request by service. Raises as `parse` does."""
    census: Census = {}
    for service, scope in scopes(body):
        census[service] = census.get(service, 0) + len(scope.spans)
    return census


def parse_resource(body: bytes) -> Resource:
    """Parse a serialized resource. Raises as `parse` does."""
    resource: Resource = _parsed(Resource, body)
    return resource


def service_of(resource: Resource) -> str:
    """Return the service that a resource names, or nothing."""
    serialized: bytes = resource.SerializeToString()
    if len(serialized) > _LONGEST_REMEMBERED_BYTES:
        return _service_in(serialized)
    return _remembered_service_in(serialized)


def _service_in(serialized: bytes) -> str:
    for attribute in parse_resource(serialized).attributes:
        if attribute.key == _SERVICE_NAME:
            name: str = attribute.value.string_value
            return name
    return ""


_remembered_service_in = lru_cache(_REMEMBERED_RESOURCES)(_service_in)


def _scopes_of_resource(body: bytes, start: int, end: int) -> Iterator[tuple[str, ScopeSpans]]:
    if end - start <= PIECE_BYTES:
        piece: ResourceSpans = _parsed(ResourceSpans, body[start:end])
        service = service_of(piece.resource)
        for scope in piece.scope_spans:
            yield service, scope
        return
    resources = (
        body[begin:close]
        for number, _, begin, close in fields(body, start, end)
        if number == _RESOURCE
    )
    service = service_of(parse_resource(b"".join(resources)))
    for number, _, begin, close in fields(body, start, end):
        if number == _SCOPE_SPANS:
            for scope in _pieces_of_scope(body, begin, close):
                yield service, scope


def _pieces_of_scope(body: bytes, start: int, end: int) -> Iterator[ScopeSpans]:
    piece_start = start
    for _, _, _, close in fields(body, start, end):
        if close - piece_start >= PIECE_BYTES:
            yield _parsed(ScopeSpans, body[piece_start:close])
            piece_start = close
    yield _parsed(ScopeSpans, body[piece_start:end])


def _parsed(kind: type[_M], body: bytes) -> _M:
    try:
        message: _M = kind.FromString(body)
    except DecodeError as error:
        where = find_invalid_text(cast("Descriptor", kind.DESCRIPTOR), body)
        why = f"{where} is not UTF-8" if where else str(error)
        raise MalformedRequestError(
            f"The body is not an ExportTraceServiceRequest in protobuf: {why}. "
            "Check the content type, and that all strings are UTF-8."
        ) from error
    return message
