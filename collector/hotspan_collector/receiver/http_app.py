"""OTLP/HTTP, protobuf and JSON on one port."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING

import structlog
from google.protobuf import json_format
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from hotspan_collector.errors import (
    HotspanError,
    MalformedRequestError,
    StoreRefusedError,
    StoreUnavailableError,
)
from hotspan_collector.ingest.otlp import count_spans, protobuf_from_json
from hotspan_collector.receiver.answers import RETRY_AFTER_S, is_allowed, response, status

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from starlette.requests import Request

    from hotspan_collector.ingest.committer import Committer
    from hotspan_collector.settings import Settings

__all__ = ["create_otlp_app"]

_LOG = structlog.get_logger(__name__)
_PROTOBUF = "application/x-protobuf"
_JSON = "application/json"
_GZIP = 31  # zlib's number for gzip with the largest window
_CLIENT_CLOSED_REQUEST = 499
# Codes of google.rpc.Code
_INVALID_ARGUMENT, _UNAUTHENTICATED, _UNAVAILABLE, _RESOURCE_EXHAUSTED = 3, 16, 14, 8


class _RefusedError(HotspanError):
    """The request cannot be taken."""

    def __init__(self, http_status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.code = code


def create_otlp_app(*, settings: Settings, committer: Committer) -> Starlette:
    """Return the application that takes POST /v1/traces, and discards metrics and logs."""

    async def traces(request: Request) -> Response:
        encoding = _content_type(request)
        try:
            _check(request, settings)
            body = await _read(request, limit=settings.max_request_bytes)
            # In a thread: a large request must not keep the others, and the API, waiting.
            protobuf, spans = await asyncio.to_thread(_decode, body, encoding)
            outcome = await committer.submit(protobuf, spans)
        except _RefusedError as error:
            return _answer(status(error.code, str(error)), encoding, error.http_status)
        except (MalformedRequestError, StoreRefusedError) as error:
            return _answer(status(_INVALID_ARGUMENT, str(error)), encoding, 400)
        except StoreUnavailableError as error:
            return _retry(str(error), encoding)
        except ClientDisconnect:
            return Response(status_code=_CLIENT_CLOSED_REQUEST)  # nobody reads it
        except Exception as error:  # noqa: BLE001 (500 would make clients drop their spans)
            _LOG.exception("export_failed")
            return _retry(f"The collector failed: {error}", encoding)
        return _answer(response(outcome), encoding, 200)

    async def discard(request: Request) -> Response:
        """Answer OK to a signal that is not kept: anything else makes SDKs log errors."""
        async for _ in request.stream():
            pass
        encoding = _content_type(request)
        return Response(b"{}" if encoding == _JSON else b"", media_type=encoding)

    return Starlette(
        routes=[
            Route("/v1/traces", traces, methods=["POST"]),
            Route("/v1/metrics", discard, methods=["POST"]),
            Route("/v1/logs", discard, methods=["POST"]),
        ]
    )


def _decode(body: bytes, encoding: str) -> tuple[bytes, int]:
    protobuf = protobuf_from_json(body) if encoding == _JSON else body
    return protobuf, count_spans(protobuf)


def _content_type(request: Request) -> str:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return _JSON if kind == _JSON else _PROTOBUF


def _check(request: Request, settings: Settings) -> None:
    if not is_allowed(request.headers.get("authorization", ""), settings.ingest_keys):
        raise _RefusedError(
            401,
            _UNAUTHENTICATED,
            "Send one of HOTSPAN_INGEST_KEYS as a header: Authorization: Bearer <key> "
            "(OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20<key>).",
        )
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in {_PROTOBUF, _JSON}:
        raise _RefusedError(
            415, _INVALID_ARGUMENT, f"Content-Type is {kind!r}; send {_PROTOBUF} or {_JSON}."
        )
    coding = request.headers.get("content-encoding", "identity").lower()
    if coding not in {"identity", "none", "gzip", ""}:
        raise _RefusedError(
            415, _INVALID_ARGUMENT, f"Content-Encoding is {coding!r}; send gzip or none."
        )


async def _read(request: Request, *, limit: int) -> bytes:
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
            raise _RefusedError(
                413,
                _RESOURCE_EXHAUSTED,
                f"The request is larger than {limit} bytes after decompression "
                "(HOTSPAN_MAX_REQUEST_BYTES); send smaller batches "
                "(OTEL_BSP_MAX_EXPORT_BATCH_SIZE).",
            )
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


def _retry(message: str, encoding: str) -> Response:
    answer = _answer(status(_UNAVAILABLE, message, retry=True), encoding, 503)
    answer.headers["retry-after"] = str(RETRY_AFTER_S)
    return answer


def _answer(message: Message, encoding: str, http_status: int) -> Response:
    if encoding == _JSON:
        body = json_format.MessageToJson(message, indent=None).encode()
    else:
        body = message.SerializeToString()
    return Response(body, status_code=http_status, media_type=encoding)
