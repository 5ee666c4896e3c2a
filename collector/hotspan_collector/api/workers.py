"""Threads for what blocks: each holds its own client of the store, so they are few and stay."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from hotspan_collector.errors import HotspanError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BusyError", "Workers"]

P = ParamSpec("P")
T = TypeVar("T")


class BusyError(HotspanError):
    """More requests wait than the API can answer soon. Try again in a few seconds."""


class Workers:
    """Runs blocking calls without stalling the event loop."""

    def __init__(self, *, threads: int, max_waiting: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="api")
        self._max_calls = threads + max_waiting
        self._calls = 0

    async def run(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `call` returns, or raise what it raises.

        Raises:
            BusyError: too many calls wait already.

        """
        if self._calls >= self._max_calls:
            raise BusyError
        self._calls += 1
        future = self._pool.submit(partial(call, *args, **kwargs))
        loop = asyncio.get_running_loop()
        # Counted until the thread is free, not until the client has gone.
        future.add_done_callback(lambda _: _soon(loop, self._release))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Let running calls end, and start no more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _release(self) -> None:
        self._calls -= 1


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(call)
