"""OTLP/HTTP, protobuf and JSON on one port."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING

import structlog
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from hotspan_collector.errors import (
    HotspanError,
    KeyRequiredError,
    MalformedRequestError,
    RequestTimeoutError,
    RequestTooLargeError,
    UnsupportedMediaError,
)
from hotspan_collector.ingest.exception_logs import may_hold_exceptions
from hotspan_collector.receiver.answers import RETRY_AFTER_S, key_of, refusal, response, status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from google.protobuf.message import Message
    from starlette.requests import Request

    from hotspan_collector.ingest.admission import Stay
    from hotspan_collector.ingest.intake import Intake
    from hotspan_collector.settings import Settings

__all__ = ["create_otlp_app"]

_LOG = structlog.get_logger(__name__)
_PROTOBUF = "application/x-protobuf"
_JSON = "application/json"
_GZIP = 31  # zlib's number for gzip with the largest window
_CLIENT_CLOSED_REQUEST = 499


def create_otlp_app(*, settings: Settings, intake: Intake) -> Starlette:
    """Return the application that takes POST /v1/traces and /v1/logs, and discards metrics."""
    receiver = _Receiver(settings=settings, intake=intake)
    return Starlette(
        routes=[
            Route("/v1/traces", _answering(receiver.traces), methods=["POST"]),
            Route("/v1/metrics", _answering(receiver.discard), methods=["POST"]),
            Route("/v1/logs", _answering(receiver.logs), methods=["POST"]),
        ]
    )


class _Receiver:
    """Answers requests, or raises what `refusal` has an answer for."""

    def __init__(self, *, settings: Settings, intake: Intake) -> None:
        self._settings = settings
        self._intake = intake

    async def traces(self, request: Request, encoding: str) -> Message:
        """Store spans."""
        key = _key(request, self._settings)
        _check_headers(request)
        with self._intake.admission.stay(key) as stay:
            body = await self._receive(request, stay)
            take = self._intake.take_json if encoding == _JSON else self._intake.take
            return response(await take(body))

    async def logs(self, request: Request, encoding: str) -> Message:
        """Keep the exceptions of spans; all other logs are answered with OK and discarded."""
        with self._intake.admission.stay() as stay:
            body = await self._receive(request, stay)
            if may_hold_exceptions(body):
                _key(request, self._settings)
                await self._intake.take_logs(body, is_json=encoding == _JSON)
        return ExportLogsServiceResponse()

    async def discard(self, request: Request, encoding: str) -> Message:
        """Answer OK to a signal that is not kept: anything else makes SDKs log errors."""
        del encoding
        async for _ in request.stream():
            pass
        return ExportMetricsServiceResponse()

    async def _receive(self, request: Request, stay: Stay) -> bytes:
        timeout_s = self._settings.receive_timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                return await _read(request, stay, limit=self._settings.max_request_bytes)
        except TimeoutError as error:
            raise RequestTimeoutError(
                f"The request did not arrive within {timeout_s} s (HOTSPAN_RECEIVE_TIMEOUT_S)."
            ) from error


def _answering(
    handle: Callable[[Request, str], Awaitable[Message]],
) -> Callable[[Request], Awaitable[Response]]:
    """Return a route that answers in the encoding of the request, whatever happens."""

    async def route(request: Request) -> Response:
        encoding = _content_type(request)
        try:
            return _answer(await handle(request, encoding), encoding, 200)
        except ClientDisconnect:
            return Response(status_code=_CLIENT_CLOSED_REQUEST)  # nobody reads it
        except Exception as error:  # noqa: BLE001 (500 would make clients drop their spans)
            if not isinstance(error, HotspanError):
                _LOG.exception("export_failed")
            return _refuse(error, encoding)

    return route


def _content_type(request: Request) -> str:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return _JSON if kind == _JSON else _PROTOBUF


def _key(request: Request, settings: Settings) -> str:
    key = key_of(request.headers.get("authorization", ""), settings.ingest_keys)
    if key is None:
        raise KeyRequiredError
    return key


def _check_headers(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in {_PROTOBUF, _JSON}:
        raise UnsupportedMediaError(f"Content-Type is {kind!r}; send {_PROTOBUF} or {_JSON}.")
    coding = request.headers.get("content-encoding", "identity").lower()
    if coding not in {"identity", "none", "gzip", ""}:
        raise UnsupportedMediaError(f"Content-Encoding is {coding!r}; send gzip or none.")


async def _read(request: Request, stay: Stay, *, limit: int) -> bytes:
    """Read and decompress the body; neither form may be larger than the limit."""
    compressed = request.headers.get("content-encoding", "").lower() == "gzip"
    inflate = _Inflate() if compressed else None
    parts: list[bytes] = []
    size = received = 0
    async for chunk in request.stream():
        received += len(chunk)
        part = inflate.feed(chunk, most=limit - size + 1) if inflate else chunk
        parts.append(part)
        size += len(part)
        if max(size, received) > limit:
            raise RequestTooLargeError(
                f"The request is larger than {limit} bytes after decompression "
                "(HOTSPAN_MAX_REQUEST_BYTES); send smaller batches "
                "(OTEL_BSP_MAX_EXPORT_BATCH_SIZE)."
            )
        stay.hold(len(part))
    if inflate and not inflate.complete:
        raise MalformedRequestError("The gzip body ends too early.")
    return b"".join(parts)


class _Inflate:
    """Decompresses gzip, which may come in several members one after the other (RFC 1952)."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=_GZIP)

    @property
    def complete(self) -> bool:
        """Whether what has come ends where a member ends."""
        return self._member.eof

    def feed(self, chunk: bytes, *, most: int) -> bytes:
        """Return what `chunk` holds, at most `most` bytes of it.

        Raises:
            MalformedRequestError: it is not gzip.

        """
        parts: list[bytes] = []
        while chunk and most > 0:
            if self._member.eof:
                self._member = zlib.decompressobj(wbits=_GZIP)
            try:
                part = self._member.decompress(chunk, most)
            except zlib.error as error:
                raise MalformedRequestError(f"The body is not gzip: {error}") from error
            parts.append(part)
            most -= len(part)
            chunk = self._member.unused_data
        return b"".join(parts)


def _refuse(error: Exception, encoding: str) -> Response:
    told = refusal(error)
    message = str(error) if isinstance(error, HotspanError) else f"The collector failed: {error}"
    answer = _answer(status(told.code, message, retry=told.retry), encoding, told.http_status)
    if told.retry:
        answer.headers["retry-after"] = str(RETRY_AFTER_S)
    return answer


def _answer(message: Message, encoding: str, http_status: int) -> Response:
    if encoding == _JSON:
        body = json_format.MessageToJson(message, indent=None).encode()
    else:
        body = message.SerializeToString()
    return Response(body, status_code=http_status, media_type=encoding)
