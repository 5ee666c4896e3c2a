"""OTLP/gRPC. Handlers take raw bytes: the request is parsed once, by `ingest.otlp`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import grpc
import grpc.aio
import structlog
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)

from hotspan_collector.errors import (
    MalformedRequestError,
    PortInUseError,
    StoreRefusedError,
    StoreUnavailableError,
)
from hotspan_collector.ingest.otlp import count_spans
from hotspan_collector.listening import host_and_port
from hotspan_collector.receiver.answers import is_allowed, response, retry_info, shorten, status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from google.protobuf.message import Message

    _Export = Callable[[bytes, grpc.aio.ServicerContext], Awaitable[bytes]]

    from hotspan_collector.ingest.committer import Committer
    from hotspan_collector.settings import Settings

__all__ = ["start_grpc_server"]

_LOG = structlog.get_logger(__name__)
_TRACES = "opentelemetry.proto.collector.trace.v1.TraceService"
_DISCARDED = {
    "opentelemetry.proto.collector.metrics.v1.MetricsService": ExportMetricsServiceResponse(),
    "opentelemetry.proto.collector.logs.v1.LogsService": ExportLogsServiceResponse(),
}


async def start_grpc_server(
    *, settings: Settings, committer: Committer
) -> tuple[grpc.aio.Server, int]:
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
    )
    service = _TraceService(settings=settings, committer=committer)
    server.add_generic_rpc_handlers(
        (
            _handler(_TRACES, service.export),
            *(_handler(name, _discard(answer)) for name, answer in _DISCARDED.items()),
        )
    )
    try:
        port = server.add_insecure_port(host_and_port(settings.host, settings.grpc_port))
    except RuntimeError as error:
        raise PortInUseError(
            f"OTLP/gRPC cannot listen on {settings.host}:{settings.grpc_port}: the port is taken. "
            "Stop what listens there, or choose another port with --grpc-port."
        ) from error
    await server.start()
    return server, port


class _TraceService:
    def __init__(self, *, settings: Settings, committer: Committer) -> None:
        self._keys = settings.ingest_keys
        self._committer = committer

    async def export(self, body: bytes, context: grpc.aio.ServicerContext) -> bytes:
        try:
            await self._check_key(context)
            outcome = await self._committer.submit(body, count_spans(body))
        except (MalformedRequestError, StoreRefusedError) as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, shorten(str(error)))
        except StoreUnavailableError as error:
            await _unavailable(context, str(error))
        except grpc.aio.AbortError:
            raise
        except Exception as error:  # noqa: BLE001 (UNKNOWN would make clients drop their spans)
            _LOG.exception("export_failed")
            await _unavailable(context, f"The collector failed: {error}")
        serialized: bytes = response(outcome).SerializeToString()
        return serialized

    async def _check_key(self, context: grpc.aio.ServicerContext) -> None:
        metadata = {str(key): value for key, value in context.invocation_metadata() or ()}
        authorization = metadata.get("authorization", "")
        if not is_allowed(str(authorization), self._keys):
            await context.abort(
                grpc.StatusCode.UNAUTHENTICATED,
                "Send one of HOTSPAN_INGEST_KEYS as metadata: authorization: Bearer <key> "
                "(OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20<key>).",
            )


async def _unavailable(context: grpc.aio.ServicerContext, message: str) -> NoReturn:
    # The standard place, and the one that Python's exporter reads.
    context.set_trailing_metadata(
        (
            (
                "grpc-status-details-bin",
                status(
                    grpc.StatusCode.UNAVAILABLE.value[0], message, retry=True
                ).SerializeToString(),
            ),
            ("google.rpc.retryinfo-bin", retry_info().SerializeToString()),
        )
    )
    await context.abort(grpc.StatusCode.UNAVAILABLE, shorten(message))
    raise AssertionError  # abort raises


def _discard(answer: Message) -> _Export:
    """Answer OK to a signal that is not kept: anything else makes SDKs log errors."""
    serialized: bytes = answer.SerializeToString()

    async def export(body: bytes, context: grpc.aio.ServicerContext) -> bytes:
        del body, context
        return serialized

    return export


def _handler(service: str, export: _Export) -> grpc.GenericRpcHandler:
    return grpc.method_handlers_generic_handler(
        service, {"Export": grpc.unary_unary_rpc_method_handler(export)}
    )
