"""Delivers what stands in the outbox: at least once, in order for each violation."""

from __future__ import annotations

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import httpx
import structlog

from hotspan_collector import __version__
from hotspan_collector.alerts import outbox
from hotspan_collector.alerts.retries import is_permanent, pause_s, retry_after_s
from hotspan_collector.errors import HotspanError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotspan_collector.alerts.outbox import Due
    from hotspan_collector.database import Database

__all__ = ["Sender"]

T = TypeVar("T")

_LOG = structlog.get_logger(__name__)
_BATCH = 50
_HEADERS = {"Content-Type": "application/json", "User-Agent": f"hotspan/{__version__}"}


class Sender:
    """Sends due alerts to one webhook. One sender a store."""

    def __init__(
        self,
        database: Database,
        *,
        url: str,
        timeout_s: float,
        max_attempts: int,
        may_send: Callable[[], bool] = lambda: True,
    ) -> None:
        """Prepare; nothing is sent before `run` or `send_due`.

        Args:
            database: holds the outbox.
            url: takes Alertmanager's webhook JSON.
            timeout_s: longest time for one delivery, in seconds.
            max_attempts: deliveries tried before an alert is given up.
            may_send: says whether no other process sends now.

        """
        self._database = database
        self._url = url
        self._timeout_s = timeout_s
        self._max_attempts = max_attempts
        self._may_send = may_send
        # One thread, kept: each holds a client of the store.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="alerts")

    def close(self) -> None:
        """Let the thread go. The sender cannot be used afterwards."""
        self._thread.shutdown()

    async def run(self, stopping: asyncio.Event, *, every_s: float = 1.0) -> None:
        """Send what becomes due until `stopping` is set; the delivery under way is ended first."""
        while not stopping.is_set():
            try:
                if self._may_send():
                    await self.send_due()
            except HotspanError as error:
                # The store does not answer; the outbox is as it was.
                _LOG.warning("alerts_waiting", reason=str(error).partition("\n")[0])
            except Exception:  # noqa: BLE001 (a mistake of ours must not end all alerts)
                _LOG.exception("alerts_failed")
            try:
                await asyncio.wait_for(stopping.wait(), every_s)
            except TimeoutError:
                continue

    async def send_due(self) -> int:
        """Send what is due now; return how many deliveries were tried.

        Raises:
            HotspanError: the store does not answer; what was delivered may be sent again.

        """
        alerts = await self._in_thread(partial(outbox.due, self._database, limit=_BATCH))
        if not alerts:
            return 0
        # A redirect is not followed: the alert would go where nobody has said it may.
        async with httpx.AsyncClient(
            timeout=self._timeout_s, follow_redirects=False, headers=_HEADERS
        ) as client:
            for alert in alerts:
                if not self._may_send():
                    break
                record = await self._deliver(client, alert)
                await self._in_thread(record)
        return len(alerts)

    async def _deliver(self, client: httpx.AsyncClient, alert: Due) -> Callable[[], None]:
        """Send one alert; return what is to be noted about it."""
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await client.post(self._url, content=alert.payload.encode())
        except (httpx.HTTPError, TimeoutError) as error:
            return self._failed(alert, f"{type(error).__name__}: {error}".rstrip(": "))
        except (httpx.InvalidURL, UnicodeError) as error:
            return self._failed(alert, f"HOTSPAN_ALERT_WEBHOOK_URL: {error}", permanent=True)
        if answer.is_success:
            _LOG.info("alert_delivered", alert=alert.id, change=alert.event)
            return partial(outbox.record_delivered, self._database, alert.id)
        return self._failed(
            alert,
            f"HTTP {answer.status_code}: {answer.text[:200]}",
            permanent=is_permanent(answer.status_code),
            wait_s=retry_after_s(answer.headers.get("Retry-After")),
        )

    def _failed(
        self, alert: Due, error: str, *, permanent: bool = False, wait_s: float = 0.0
    ) -> Callable[[], None]:
        attempts = alert.attempts + 1
        if permanent or attempts >= self._max_attempts:
            _LOG.error("alert_given_up", alert=alert.id, attempts=attempts, reason=error)
            return partial(outbox.record_failed, self._database, alert.id, error=error)
        jitter = random.random()  # noqa: S311 (spreads load, keeps no secret)
        delay_s = max(wait_s, pause_s(attempts, jitter=jitter))
        _LOG.warning(
            "alert_delayed", alert=alert.id, attempts=attempts, delay_s=delay_s, reason=error
        )
        return partial(outbox.record_retry, self._database, alert.id, error=error, delay_s=delay_s)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)
