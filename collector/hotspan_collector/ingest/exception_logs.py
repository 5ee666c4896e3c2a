"""Exceptions that come as logs: OpenTelemetry is moving them there from the events of spans.

Log records with `exception.*` and the ids of a span become exceptions of that span. All other logs
are discarded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from hotspan_collector.errors import MalformedRequestError
from hotspan_collector.ingest.otlp import service_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

__all__ = ["exception_rows", "may_hold_exceptions"]

_TRACE_ID_BYTES, _SPAN_ID_BYTES = 16, 8
_MAX_TEXT_LENGTH = 100_000
_TEXTS = {
    "type": "exception.type",
    "message": "exception.message",
    "stacktrace": "exception.stacktrace",
}


def may_hold_exceptions(body: bytes) -> bool:
    """Tell whether a request of logs is worth reading."""
    return b"exception." in body


def exception_rows(
    body: bytes, *, bounds: Mapping[str, int], mask: Callable[[str], str]
) -> list[dict[str, object]]:
    """Return rows of the table `span_exceptions` for a serialized request of logs.

    Args:
        body: an ExportLogsServiceRequest.
        bounds: which times are valid (`SpanBounds.parameters`); others are left out.
        mask: takes out what is secret in the text of an error.

    Raises:
        MalformedRequestError: it is not such a request.

    """
    try:
        request = ExportLogsServiceRequest.FromString(body)
    except DecodeError as error:
        raise MalformedRequestError(
            f"The body is not an ExportLogsServiceRequest in protobuf: {error}. "
            "Check the content type, and that all strings are UTF-8."
        ) from error
    return [
        row
        for service, record in _records(request)
        if (row := _row(service, record, mask)) is not None
        and bounds["oldest_ns"] <= int(str(row["time_unix_nano"])) <= bounds["newest_ns"]
    ]


def _records(request: ExportLogsServiceRequest) -> Iterator[tuple[str, LogRecord]]:
    for resource in request.resource_logs:
        service = service_of(resource.resource)
        for scope in resource.scope_logs:
            for record in scope.log_records:
                yield service, record


def _row(service: str, record: LogRecord, mask: Callable[[str], str]) -> dict[str, object] | None:
    ids = (len(record.trace_id), len(record.span_id))
    values = {each.key: each.value.string_value for each in record.attributes}
    named = values.get("exception.type") or values.get("exception.message")
    if ids != (_TRACE_ID_BYTES, _SPAN_ID_BYTES) or not named:
        return None
    texts = {column: mask(values.get(key, ""))[:_MAX_TEXT_LENGTH] for column, key in _TEXTS.items()}
    return {
        "trace_id": record.trace_id.hex(),
        "span_id": record.span_id.hex(),
        "time_unix_nano": record.time_unix_nano or record.observed_time_unix_nano,
        "service": service,
        **texts,
    }
