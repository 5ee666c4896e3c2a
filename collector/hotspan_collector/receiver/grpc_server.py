"""OTLP/gRPC. Handlers take raw bytes: the request is parsed once, by `ingest`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import grpc
import grpc.aio
import structlog
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)

from hotspan_collector.errors import (
    HotspanError,
    KeyRequiredError,
    PortInUseError,
    RequestTimeoutError,
)
from hotspan_collector.ingest.exception_logs import may_hold_exceptions
from hotspan_collector.listening import host_and_port
from hotspan_collector.receiver.answers import (
    key_of,
    refusal,
    response,
    retry_info,
    shorten,
    status,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from google.protobuf.message import Message

    _Export = Callable[[AsyncIterator[bytes], grpc.aio.ServicerContext], Awaitable[bytes]]

    from hotspan_collector.ingest.intake import Intake
    from hotspan_collector.settings import Settings

__all__ = ["start_grpc_server"]

_LOG = structlog.get_logger(__name__)
_TRACES = "opentelemetry.proto.collector.trace.v1.TraceService"
_LOGS = "opentelemetry.proto.collector.logs.v1.LogsService"
_DISCARDED = {
    "opentelemetry.proto.collector.metrics.v1.MetricsService": ExportMetricsServiceResponse(),
}
_STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}


async def start_grpc_server(*, settings: Settings, intake: Intake) -> tuple[grpc.aio.Server, int]:
    """Start to listen; return the server and its port.

    Raises:
        PortInUseError: the port is taken.

    """
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", settings.max_request_bytes),
            # Without this two collectors could share a port and each get half of the spans.
            ("grpc.so_reuseport", 0),
        ],
        # A backstop: `Admission` refuses earlier, and says when to try again.
        maximum_concurrent_rpcs=2 * settings.max_concurrent_requests,
    )
    service = _TraceService(settings=settings, intake=intake)
    server.add_generic_rpc_handlers(
        (
            _handler(_TRACES, service.export),
            _handler(_LOGS, service.export_logs),
            *(_handler(name, _discard(answer)) for name, answer in _DISCARDED.items()),
        )
    )
    address = host_and_port(settings.host, settings.grpc_port)
    try:
        if settings.tls_cert_file:
            port = server.add_secure_port(address, _credentials(settings))
        else:
            port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise PortInUseError(
            f"OTLP/gRPC cannot listen on {settings.host}:{settings.grpc_port}: the port is taken. "
            "Stop what listens there, or choose another port with --grpc-port."
        ) from error
    await server.start()
    return server, port


def _credentials(settings: Settings) -> grpc.ServerCredentials:
    authority = settings.tls_client_ca_file
    return grpc.ssl_server_credentials(
        [(_read(settings.tls_key_file), _read(settings.tls_cert_file))],
        root_certificates=_read(authority) if authority else None,
        require_client_auth=bool(authority),
    )


def _read(path: Path | None) -> bytes:
    return (path or Path()).read_bytes()


class _TraceService:
    def __init__(self, *, settings: Settings, intake: Intake) -> None:
        self._keys = settings.ingest_keys
        self._timeout_s = settings.receive_timeout_s
        self._intake = intake

    async def export(
        self, requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext
    ) -> bytes:
        """Answer one request. It is a stream for gRPC, so that we are asked before it is read."""
        try:
            key = self._key(context)
            with self._intake.admission.stay(key) as stay:
                body = await self._receive(requests)
                stay.hold(len(body))
                outcome = await self._intake.take(body)
        except grpc.aio.AbortError:
            raise
        except Exception as error:  # noqa: BLE001 (UNKNOWN would make clients drop their spans)
            if not isinstance(error, HotspanError):
                _LOG.exception("export_failed")
            await _abort(context, error)
        serialized: bytes = response(outcome).SerializeToString()
        return serialized

    async def export_logs(
        self, requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext
    ) -> bytes:
        """Keep the exceptions of spans; all other logs are answered with OK and discarded."""
        try:
            with self._intake.admission.stay() as stay:
                body = await self._receive(requests)
                stay.hold(len(body))
                if may_hold_exceptions(body):
                    self._key(context)
                    await self._intake.take_logs(body)
        except Exception as error:  # noqa: BLE001 (as above)
            if not isinstance(error, HotspanError):
                _LOG.exception("export_failed")
            await _abort(context, error)
        return b""

    def _key(self, context: grpc.aio.ServicerContext) -> str:
        authorization = ""
        if self._keys:
            metadata = {str(key): value for key, value in context.invocation_metadata() or ()}
            authorization = str(metadata.get("authorization", ""))
        key = key_of(authorization, self._keys)
        if key is None:
            raise KeyRequiredError
        return key

    async def _receive(self, requests: AsyncIterator[bytes]) -> bytes:
        try:
            async with asyncio.timeout(self._timeout_s):
                async for body in requests:
                    return body
        except TimeoutError as error:
            raise RequestTimeoutError(
                f"The request did not arrive within {self._timeout_s} s "
                "(HOTSPAN_RECEIVE_TIMEOUT_S)."
            ) from error
        return b""


async def _abort(context: grpc.aio.ServicerContext, error: Exception) -> NoReturn:
    message = shorten(str(error) if isinstance(error, HotspanError) else f"It failed: {error}")
    answer = refusal(error)
    if answer.retry:
        # The standard place, and the one that Python's exporter reads.
        details = status(answer.code, message, retry=True).SerializeToString()
        context.set_trailing_metadata(
            (
                ("grpc-status-details-bin", details),
                ("google.rpc.retryinfo-bin", retry_info().SerializeToString()),
            )
        )
    await context.abort(_STATUS_CODES[answer.code], message)
    raise AssertionError  # abort raises


def _discard(answer: Message) -> _Export:
    """Answer OK to a signal that is not kept: anything else makes SDKs log errors."""
    serialized: bytes = answer.SerializeToString()

    async def export(requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext) -> bytes:
        del context
        async for _ in requests:
            break
        return serialized

    return export


def _handler(service: str, export: _Export) -> grpc.GenericRpcHandler:
    return grpc.method_handlers_generic_handler(
        service, {"Export": grpc.stream_unary_rpc_method_handler(export)}
    )
