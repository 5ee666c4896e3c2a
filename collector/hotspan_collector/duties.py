"""What one process at a time does for a store, each by a lease: evaluating, and sending alerts."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from hotspan_collector.api.models import Duty
from hotspan_collector.errors import HotspanError
from hotspan_collector.health import EvaluatorHealth, EvaluatorReport
from hotspan_collector.lease import SoleOwner, StoredLease, instance_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from hotspan_collector.lease import Lease
    from hotspan_collector.store.port import SpanStore

__all__ = ["Duties", "hold"]

_LOG = structlog.get_logger(__name__)
_CLAIMS_A_LEASE = 3


class Duties:
    """The leases of a store, and what can be told of them."""

    def __init__(self, store: SpanStore, *, lease_s: float, health: EvaluatorHealth) -> None:
        """Prepare; nothing is claimed.

        Args:
            store: that several processes may use.
            lease_s: how long a claim holds, in seconds.
            health: of the evaluator, if it runs in this process.

        """
        self._health = health
        owner = instance_name()
        if not store.is_shared:
            self.evaluating: Lease = SoleOwner("evaluate", owner=owner)
            self.alerting: Lease = SoleOwner("alerts", owner=owner)
            return
        self.evaluating = StoredLease(
            store,
            "evaluate",
            owner=owner,
            length_s=lease_s,
            note=lambda: health.report().to_note(),
        )
        self.alerting = StoredLease(store, "alerts", owner=owner, length_s=lease_s)

    def describe(self) -> tuple[EvaluatorReport, Sequence[Duty]]:
        """Return how the evaluator is, wherever it runs, and who does what.

        Raises:
            HotspanError: the store does not answer.

        """
        evaluating = self.evaluating.state()
        report = (
            self._health.report()
            if self.evaluating.is_held()
            else EvaluatorReport.from_note(evaluating.note, age_s=evaluating.age_s)
        )
        duties = [
            Duty(
                name=lease.name,
                owner=state.owner,
                here=lease.is_held(),
                renewed_s_ago=None if isinstance(lease, SoleOwner) else state.age_s,
            )
            for lease, state in (
                (self.evaluating, evaluating),
                (self.alerting, self.alerting.state()),
            )
        ]
        return report, duties


async def hold(lease: Lease, *, length_s: float, work: Callable[[], Awaitable[None]]) -> None:
    """Claim a lease again and again while `work` goes on, and give it back when that has ended.

    `work` is not told whether the lease is held: it asks.
    """
    loop = asyncio.get_running_loop()
    # A thread of its own: evaluations take long, and the lease must not run out meanwhile.
    with ThreadPoolExecutor(1, thread_name_prefix=f"lease-{lease.name}") as thread:
        claiming = asyncio.create_task(
            _claim_again(lease, thread, every_s=length_s / _CLAIMS_A_LEASE)
        )
        try:
            await work()
        finally:
            claiming.cancel()
            with suppress(asyncio.CancelledError):
                await claiming
            with suppress(HotspanError):
                await loop.run_in_executor(thread, lease.release)


async def _claim_again(lease: Lease, thread: ThreadPoolExecutor, *, every_s: float) -> None:
    loop = asyncio.get_running_loop()
    failing = False
    while True:
        try:
            await loop.run_in_executor(thread, lease.claim)
        except HotspanError as error:
            if not failing:
                _LOG.warning("lease_not_claimed", lease=lease.name, reason=str(error))
            failing = True
        except Exception:  # noqa: BLE001 (a mistake of ours must not end the receivers)
            _LOG.exception("lease_not_claimed", lease=lease.name)
        else:
            failing = False
        await asyncio.sleep(every_s)
