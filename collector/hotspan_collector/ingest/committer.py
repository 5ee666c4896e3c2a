"""Group commit: requests that arrive together are stored together.

An insert costs the same for one span as for thousands, so requests wait a moment for company. None
is acknowledged before the store has committed it.
"""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from hotspan_collector.errors import HotspanError, StoreRefusedError, StoreUnavailableError
from hotspan_collector.ingest.otlp import parse, spans_of
from hotspan_collector.ingest.validity import explain, rejections

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotspan_collector.store.port import SpanStore

__all__ = ["Committer", "Counters", "Outcome"]

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: everything is stored but `rejected` spans."""

    rejected: int = 0
    message: str = ""


@dataclass(slots=True)
class Counters:
    """Spans since the start."""

    received: int = 0
    stored: int = 0
    rejected: int = 0
    failed: int = 0


@dataclass(slots=True, eq=False)
class _Waiting:
    body: bytes
    spans: int
    done: asyncio.Future[Outcome] = field(default_factory=asyncio.Future)


class Committer:
    """Collects requests into batches and commits them. For one event loop."""

    def __init__(
        self,
        store: SpanStore,
        *,
        linger_s: float,
        max_bytes: int,
        queue_bytes: int,
        workers: int,
    ) -> None:
        """Prepare; `run` does the work.

        Args:
            store: where spans go.
            linger_s: how long a request waits for others.
            max_bytes: a batch with this many bytes is committed at once.
            queue_bytes: requests are refused while more bytes than this wait.
            workers: commits at a time.

        """
        self._store = store
        self._linger_s = linger_s
        self._max_bytes = max_bytes
        self._queue_bytes = queue_bytes
        self._workers = workers
        self._waiting: list[_Waiting] = []
        self._waiting_bytes = 0
        self._arrived = asyncio.Event()
        self._collecting = asyncio.Lock()
        self._closing = False
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="commit")
        self.counters = Counters()

    async def submit(self, body: bytes, spans: int) -> Outcome:
        """Store the spans of a serialized request; return when they are committed.

        Raises:
            StoreUnavailableError: not stored; the sender should try again.
            StoreRefusedError: cannot be stored; trying again will not help.

        """
        self.counters.received += spans
        if spans == 0:
            return Outcome()
        if self._closing or self._waiting_bytes + len(body) > self._queue_bytes:
            self.counters.failed += spans
            raise StoreUnavailableError(
                "More spans wait than the collector may hold (HOTSPAN_COMMIT_QUEUE_BYTES); "
                "try again later."
            )
        item = _Waiting(body, spans)
        self._waiting.append(item)
        self._waiting_bytes += len(body)
        self._arrived.set()
        return await item.done

    async def run(self) -> None:
        """Commit until `drain` is called."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._work())

    async def drain(self) -> None:
        """Take no more requests, and let `run` end when those that wait are committed."""
        self._closing = True
        self._arrived.set()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while batch := await self._collect():
            await loop.run_in_executor(self._threads, self._commit, loop, batch)

    async def _collect(self) -> Sequence[_Waiting]:
        async with self._collecting:
            await self._arrived.wait()
            if not self._closing and self._waiting_bytes < self._max_bytes:
                await asyncio.sleep(self._linger_s)
            batch: list[_Waiting] = []
            size = 0
            while self._waiting and (not batch or size < self._max_bytes):
                item = self._waiting.pop(0)
                size += len(item.body)
                batch.append(item)
            self._waiting_bytes -= size
            if not self._waiting and not self._closing:
                self._arrived.clear()
            return batch

    def _commit(self, loop: asyncio.AbstractEventLoop, batch: Sequence[_Waiting]) -> None:
        """Store a batch and tell each request its outcome; in a thread."""
        try:
            outcomes: Sequence[Outcome | HotspanError] = self._store_batch(batch)
        except HotspanError as error:
            outcomes = [error] * len(batch)
        except Exception as error:  # noqa: BLE001 (whatever it is, the sender must try again)
            _LOG.exception("commit_failed")
            outcomes = [StoreUnavailableError(f"The commit failed: {error}")] * len(batch)
        loop.call_soon_threadsafe(self._resolve, batch, outcomes)

    def _store_batch(self, batch: Sequence[_Waiting]) -> Sequence[Outcome | HotspanError]:
        body = b"".join(item.body for item in batch)
        expected = sum(item.spans for item in batch)
        try:
            written = self._store.insert_spans(body, token=secrets.token_hex(16))
        except StoreRefusedError:
            if len(batch) == 1:
                raise
            # One request spoils the batch: the others must not suffer.
            _LOG.warning("batch_refused", requests=len(batch), spans=expected)
            return [self._store_one(item) for item in batch]
        if written == expected:
            return [Outcome()] * len(batch)
        outcomes = [self._account(item) for item in batch]
        if written + sum(outcome.rejected for outcome in outcomes) < expected:
            raise StoreUnavailableError(
                f"The store wrote {written} of {expected} spans, and nothing says which are "
                "missing; try again."
            )
        return outcomes

    def _store_one(self, item: _Waiting) -> Outcome | HotspanError:
        try:
            return self._store_batch([item])[0]
        except HotspanError as error:
            return error

    def _account(self, item: _Waiting) -> Outcome:
        counts = rejections(spans_of(parse(item.body)), self._store.span_bounds())
        return Outcome(rejected=counts.total(), message=explain(counts))

    def _resolve(
        self, batch: Sequence[_Waiting], outcomes: Sequence[Outcome | HotspanError]
    ) -> None:
        for item, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, HotspanError):
                self.counters.failed += item.spans
            else:
                self.counters.rejected += outcome.rejected
                self.counters.stored += item.spans - outcome.rejected
            if item.done.done():  # the sender went away
                continue
            if isinstance(outcome, HotspanError):
                item.done.set_exception(outcome)
            else:
                item.done.set_result(outcome)
