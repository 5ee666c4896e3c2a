"""Reads OTLP trace requests just far enough to trust them with ClickHouse.

The bytes go on as they came. They are parsed once, by protobuf's C library, to refuse what is not
OTLP and to count spans; Python looks at single spans only when some are missing from the store.
"""

from __future__ import annotations

import binascii
import json
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from hotspan_collector.errors import MalformedRequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

__all__ = ["count_spans", "parse", "protobuf_from_json", "spans_of"]

_ID_FIELDS = ("traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id")


def parse(body: bytes) -> ExportTraceServiceRequest:
    """Parse a serialized request.

    Raises:
        MalformedRequestError: the bytes are not one; strings must be UTF-8.

    """
    try:
        request: ExportTraceServiceRequest = ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        raise MalformedRequestError(
            f"The body is not an ExportTraceServiceRequest in protobuf: {error}. "
            "Check the content type, and that all strings are UTF-8."
        ) from error
    return request


def spans_of(request: ExportTraceServiceRequest) -> Iterator[Span]:
    """Yield the spans of a request."""
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            yield from scope.spans


def count_spans(body: bytes) -> int:
    """Return how many spans a serialized request holds. Raises as `parse` does."""
    request = parse(body)
    return sum(
        len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans
    )


def protobuf_from_json(body: bytes) -> bytes:
    """Return a JSON request in protobuf.

    OTLP's JSON differs from protobuf's own: ids are hex, not base64; unknown fields are ignored.

    Raises:
        MalformedRequestError: the body is not such a request.

    """
    try:
        document = _object(json.loads(body))
        _base64_ids(document)
        message = json_format.ParseDict(
            document, ExportTraceServiceRequest(), ignore_unknown_fields=True
        )
    except (ValueError, RecursionError, json_format.ParseError) as error:
        raise MalformedRequestError(
            f"The body is not an ExportTraceServiceRequest in OTLP's JSON: {error}"
        ) from error
    serialized: bytes = message.SerializeToString()
    return serialized


def _object(document: object) -> dict[str, Any]:
    if not isinstance(document, dict):
        # protobuf takes an empty list for a message, and fails in its own way on the rest
        raise ValueError(f"expected an object, got {type(document).__name__}")  # noqa: TRY004
    return document


def _base64_ids(node: Any) -> None:  # noqa: ANN401 (any JSON)
    """Replace hex ids by base64 in spans and links, in place."""
    if isinstance(node, list):
        for item in node:
            _base64_ids(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in _ID_FIELDS and isinstance(value, str):
                node[key] = binascii.b2a_base64(bytes.fromhex(value), newline=False).decode()
            elif key not in {"attributes", "value"}:
                _base64_ids(value)
