"""A dead man's switch: tells an outside monitor that all is well, and nothing when it is not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["beat"]

_LOG = structlog.get_logger(__name__)
_TIMEOUT_S = 10.0


async def beat(
    url: str, *, every_s: float, what_is_wrong: Callable[[], str | None], stopping: asyncio.Event
) -> None:
    """Ask for `url` again and again while nothing is wrong; the monitor misses it otherwise.

    Args:
        url: of the monitor's check.
        every_s: seconds between two beats.
        what_is_wrong: says why all is not well, or None; called in a thread.
        stopping: ends it.

    """
    async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as http:
        while not stopping.is_set():
            try:
                reason = await asyncio.to_thread(what_is_wrong)
                if reason is None:
                    (await http.get(url)).raise_for_status()
                else:
                    _LOG.error("heartbeat_withheld", reason=reason)
            except Exception as error:  # noqa: BLE001 (the next beat may work)
                _LOG.warning("heartbeat_failed", error=str(error) or repr(error))
            try:
                await asyncio.wait_for(stopping.wait(), every_s)
            except TimeoutError:
                continue
