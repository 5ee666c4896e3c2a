"""OTLP's JSON, which differs from protobuf's own: ids are hex, unknown fields are ignored."""

from __future__ import annotations

import binascii
import json
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message  # noqa: TC002 (small)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from hotspan_collector.errors import MalformedRequestError

__all__ = ["protobuf_from_json"]

_ID_FIELDS = ("traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id")


def protobuf_from_json(body: bytes, kind: type[Message] = ExportTraceServiceRequest) -> bytes:
    """Return a JSON request in protobuf: of traces, unless told otherwise.

    Raises:
        MalformedRequestError: the body is not such a request.

    """
    try:
        document = _object(json.loads(body))
        _base64_ids(document)
        message = json_format.ParseDict(document, kind(), ignore_unknown_fields=True)
    except (ValueError, RecursionError, json_format.ParseError) as error:
        raise MalformedRequestError(
            f"The body is not an {kind.DESCRIPTOR.name} in OTLP's JSON: {error}"
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
