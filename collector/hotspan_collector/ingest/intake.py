"""The way of a request from its bytes to its outcome, the same for both transports."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from hotspan_collector.errors import RequestTooLargeError
from hotspan_collector.ingest.exception_logs import exception_rows
from hotspan_collector.ingest.limits import check
from hotspan_collector.ingest.otlp import PIECE_BYTES
from hotspan_collector.ingest.otlp_json import protobuf_from_json

if TYPE_CHECKING:
    from hotspan_collector.ingest.admission import Admission
    from hotspan_collector.ingest.committer import Committer
    from hotspan_collector.ingest.limits import RequestLimits
    from hotspan_collector.ingest.writer import Outcome
    from hotspan_collector.store.port import SpanStore
    from hotspan_collector.store.redaction import Redaction

__all__ = ["Intake"]


class Intake:
    """Takes requests. For one event loop."""

    def __init__(  # noqa: PLR0913 (parts)
        self,
        committer: Committer,
        *,
        admission: Admission,
        limits: RequestLimits,
        max_json_bytes: int,
        store: SpanStore,
        redaction: Redaction,
    ) -> None:
        """Prepare.

        Args:
            committer: stores requests.
            admission: bounds what is held in memory.
            limits: of one request.
            max_json_bytes: of a request in JSON.
            store: takes exceptions that come as logs.
            redaction: what to take out of these.

        """
        self.admission = admission
        self._committer = committer
        self._limits = limits
        self._max_json_bytes = max_json_bytes
        self._store = store
        self._redaction = redaction
        # JSON takes twenty times its bytes while it is read.
        self._one_json = asyncio.Semaphore(1)
        self._one_logs = asyncio.Semaphore(1)

    async def take(self, body: bytes) -> Outcome:
        """Store an ExportTraceServiceRequest; return when it is committed.

        Raises:
            MalformedRequestError: it is not one.
            RequestTooLargeError: it holds more than one request may.
            StoreUnavailableError: not stored; the sender should try again.

        """
        if len(body) > PIECE_BYTES:
            # A large request must not keep the others, and the API, waiting.
            checked = await asyncio.to_thread(check, body, self._limits)
        else:
            checked = check(body, self._limits)
        return await self._committer.submit(checked)

    async def take_logs(self, body: bytes, *, is_json: bool = False) -> None:
        """Keep the exceptions of spans among logs, and nothing else. Raises as `take` does."""
        async with self._one_logs:
            await asyncio.to_thread(self._store_logs, body, is_json=is_json)

    def _store_logs(self, body: bytes, *, is_json: bool) -> None:
        protobuf = protobuf_from_json(body, ExportLogsServiceRequest) if is_json else body
        rows = exception_rows(
            protobuf, bounds=self._store.span_bounds(), mask=self._redaction.mask_error
        )
        self._store.insert_rows("span_exceptions", rows)

    async def take_json(self, body: bytes) -> Outcome:
        """Do the same with a request in JSON."""
        if len(body) > self._max_json_bytes:
            raise RequestTooLargeError(
                f"The request is larger than {self._max_json_bytes} bytes of JSON "
                "(HOTSPAN_MAX_JSON_REQUEST_BYTES); send protobuf "
                "(OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf), or smaller batches."
            )
        async with self._one_json:
            protobuf = await asyncio.to_thread(protobuf_from_json, body)
        return await self.take(protobuf)
