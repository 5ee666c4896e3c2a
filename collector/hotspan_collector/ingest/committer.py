"""Group commit: requests that arrive together are stored together.

An insert costs the same for one span as for thousands, so requests wait a moment for company: the
longer, the longer an insert takes, as long as all of them are small. A sender whose request is full
has more to send, and waits for the answer. None is acknowledged before it is committed.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from hotspan_collector.errors import HotspanError, StoreUnavailableError
from hotspan_collector.ingest.writer import Outcome, Request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotspan_collector.ingest.ledger import Ledger
    from hotspan_collector.ingest.limits import Checked
    from hotspan_collector.ingest.writer import Writer

__all__ = ["Committer"]

_LOG = structlog.get_logger(__name__)
_REPLAY_PAUSE_S = 1.0
# Half of the 512 spans that an SDK sends at most.
_FULL_REQUEST_SPANS = 256
# With little to store, inserts take a third of a core at most.
_PAUSES_A_COMMIT = 2
_LONGEST_LINGER_S = 0.3


@dataclass(slots=True, eq=False)
class _Waiting:
    request: Request
    done: asyncio.Future[Outcome] = field(default_factory=asyncio.Future)
    since: float = field(default_factory=time.monotonic)


class Committer:
    """Collects requests into batches and commits them. For one event loop."""

    def __init__(
        self,
        writer: Writer,
        *,
        ledger: Ledger,
        linger_s: float,
        max_bytes: int,
        workers: int,
    ) -> None:
        """Prepare; `run` does the work.

        Args:
            writer: stores batches.
            ledger: is told what has come.
            linger_s: how long a full request waits for others.
            max_bytes: a batch with this many bytes is committed at once.
            workers: commits at a time.

        """
        self._writer = writer
        self._ledger = ledger
        self._linger_s = linger_s
        self._max_bytes = max_bytes
        self._workers = workers
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._arrived = asyncio.Event()
        self._pressing = asyncio.Event()
        self._last_commit_s = 0.0
        self._collecting = asyncio.Lock()
        self._closing = asyncio.Event()
        self._threads = ThreadPoolExecutor(workers + 1, thread_name_prefix="commit")

    async def submit(self, checked: Checked) -> Outcome:
        """Store a request; return when it is committed, to the store or to the spool.

        Raises:
            StoreUnavailableError: not stored; the sender should try again.

        """
        self._ledger.receive(checked.census)
        if checked.losses:
            services = {service: 0 for service, _ in checked.losses}
            for (service, _), spans in checked.losses.items():
                services[service] += spans
            self._ledger.receive(services)
            self._ledger.lose("rejected", checked.losses)
        if not any(checked.census.values()):
            return Outcome(checked.losses)
        if self._closing.is_set():
            self._ledger.drop(checked.census, reason="retry_later")
            raise StoreUnavailableError("The collector is stopping; try again later.")
        item = _Waiting(Request(checked.body, checked.census))
        self._waiting.append(item)
        self._waiting_bytes += len(checked.body)
        self._arrived.set()
        if self._waiting_bytes >= self._max_bytes or _is_full(item):
            self._pressing.set()
        outcome = await item.done
        return Outcome(outcome.losses + checked.losses) if checked.losses else outcome

    def oldest_wait_s(self) -> float:
        """Return how long the oldest request waits for its commit to begin, in seconds."""
        return time.monotonic() - self._waiting[0].since if self._waiting else 0.0

    async def run(self) -> None:
        """Commit until `drain` is called."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._work())
            group.create_task(self._replay())
        self._threads.shutdown()

    async def drain(self) -> None:
        """Take no more requests, and let `run` end when those that wait are committed."""
        self._closing.set()
        self._arrived.set()
        self._pressing.set()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while batch := await self._collect():
            await loop.run_in_executor(self._threads, self._commit, loop, batch)

    async def _replay(self) -> None:
        """Bring to the store what waits in the spool, oldest first."""
        loop = asyncio.get_running_loop()
        while not self._closing.is_set():
            if await loop.run_in_executor(self._threads, self._replay_one):
                continue
            try:
                await asyncio.wait_for(self._closing.wait(), _REPLAY_PAUSE_S)
            except TimeoutError:
                continue

    def _replay_one(self) -> bool:
        try:
            return self._writer.replay_oldest()
        except StoreUnavailableError:
            return False
        except Exception:  # noqa: BLE001 (it is tried again)
            _LOG.exception("replay_failed")
            return False

    async def _collect(self) -> Sequence[_Waiting]:
        async with self._collecting:
            await self._arrived.wait()
            await self._linger()
            batch: list[_Waiting] = []
            size = 0
            while self._waiting and (not batch or size < self._max_bytes):
                item = self._waiting.popleft()
                size += len(item.request.body)
                batch.append(item)
            self._waiting_bytes -= size
            if not self._waiting and not self._closing.is_set():
                self._arrived.clear()
            if not self._closing.is_set() and not any(map(_is_full, self._waiting)):
                self._pressing.clear()
            return batch

    async def _linger(self) -> None:
        """Wait for more requests, unless there is enough to store or somebody is in a hurry."""
        patience_s = min(_LONGEST_LINGER_S, _PAUSES_A_COMMIT * self._last_commit_s)
        if patience_s > self._linger_s:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._pressing.wait(), patience_s - self._linger_s)
        if not self._closing.is_set() and self._waiting_bytes < self._max_bytes:
            await asyncio.sleep(self._linger_s)

    def _commit(self, loop: asyncio.AbstractEventLoop, batch: Sequence[_Waiting]) -> None:
        """Store a batch and tell each request its outcome; in a thread."""
        began_s = time.monotonic()
        try:
            results = self._writer.write([item.request for item in batch])
        except Exception as error:  # noqa: BLE001 (whatever it is, the sender must try again)
            _LOG.exception("commit_failed")
            results = [StoreUnavailableError(f"The commit failed: {error}")] * len(batch)
            for item in batch:
                self._ledger.drop(item.request.census, reason="retry_later")
        self._last_commit_s = time.monotonic() - began_s
        loop.call_soon_threadsafe(_resolve, batch, results)


def _is_full(item: _Waiting) -> bool:
    return sum(item.request.census.values()) >= _FULL_REQUEST_SPANS


def _resolve(batch: Sequence[_Waiting], results: Sequence[Outcome | HotspanError]) -> None:
    for item, result in zip(batch, results, strict=True):
        if item.done.done():  # the sender went away
            continue
        if isinstance(result, HotspanError):
            item.done.set_exception(result)
        else:
            item.done.set_result(result)
