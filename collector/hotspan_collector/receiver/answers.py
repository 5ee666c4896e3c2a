"""What OTLP wants a server to answer (OTLP specification 1.11, "OTLP/gRPC" and "OTLP/HTTP")."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from hotspan_collector.errors import (
    KeyRequiredError,
    MalformedRequestError,
    RateLimitedError,
    RequestTimeoutError,
    RequestTooLargeError,
    StoreRefusedError,
    UnsupportedMediaError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import SecretStr

    from hotspan_collector.ingest.writer import Outcome

__all__ = [
    "RETRY_AFTER_S",
    "Refusal",
    "key_of",
    "refusal",
    "response",
    "retry_info",
    "shorten",
    "status",
]

RETRY_AFTER_S = 2
# Clients of gRPC refuse more than 8 KiB of metadata, with RESOURCE_EXHAUSTED, and drop their spans.
# The message is in there twice, once with up to three bytes for one.
_MAX_MESSAGE_BYTES = 1_800


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a refused sender hears."""

    code: int
    """Of google.rpc.Code."""
    http_status: int
    retry: bool = False
    """Whether it is told when to try again: else it drops its spans."""


_UNAVAILABLE = Refusal(14, 503, retry=True)
_REFUSALS: dict[type[Exception], Refusal] = {
    MalformedRequestError: Refusal(3, 400),
    StoreRefusedError: Refusal(3, 400),
    RequestTooLargeError: Refusal(8, 413),
    KeyRequiredError: Refusal(16, 401),
    UnsupportedMediaError: Refusal(3, 415),
    # Not 408: a sender on a busy machine would drop its spans.
    RequestTimeoutError: Refusal(4, 503, retry=True),
    RateLimitedError: Refusal(8, 429, retry=True),
}


def response(outcome: Outcome) -> ExportTraceServiceResponse:
    """Return the answer to a request; partial_success stays unset when all was stored."""
    answer = ExportTraceServiceResponse()
    if outcome.rejected:
        answer.partial_success.rejected_spans = outcome.rejected
        answer.partial_success.error_message = shorten(outcome.message)
    return answer


def shorten(message: str) -> str:
    """Return as much of a message as an answer may carry."""
    encoded = message.encode()
    if len(encoded) <= _MAX_MESSAGE_BYTES:
        return message
    return f"{encoded[:_MAX_MESSAGE_BYTES].decode(errors='ignore')}…"


def retry_info() -> RetryInfo:
    """Return when a sender should try again."""
    return RetryInfo(retry_delay=Duration(seconds=RETRY_AFTER_S))


def status(code: int, message: str, *, retry: bool = False) -> Status:
    """Return google.rpc.Status, which OTLP puts into HTTP error bodies and gRPC trailers."""
    answer = Status(code=code, message=shorten(message))
    if retry:
        detail = AnyMessage()
        detail.Pack(retry_info())
        answer.details.append(detail)
    return answer


def key_of(authorization: str, keys: Sequence[SecretStr]) -> str | None:
    """Return which of the keys an Authorization header carries, by its place; None: no key of ours.

    Without keys everybody may send, under one name.
    """
    if not keys:
        return ""
    scheme, _, token = authorization.partition(" ")
    sent = token.strip().encode()
    # Every key is compared, so that time tells nothing.
    matches = [hmac.compare_digest(sent, key.get_secret_value().encode()) for key in keys]
    return str(matches.index(True)) if scheme.lower() == "bearer" and any(matches) else None


def refusal(error: Exception) -> Refusal:
    """Return what a sender hears of an error: nothing but these may reach it.

    UNKNOWN, INTERNAL and 500 would make it drop its spans.
    """
    for kind, answer in _REFUSALS.items():
        if isinstance(error, kind):
            return answer
    return _UNAVAILABLE
