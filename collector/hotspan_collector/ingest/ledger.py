"""What became of every span: received = stored + rejected + dropped + pending, by service."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Census", "Ledger", "Losses", "ServiceAccount"]

Census = dict[str, int]
"""Spans by service."""

Losses = Counter[tuple[str, str]]
"""Spans that are not stored, by service and reason."""

# Senders choose the names of services: they must not fill the memory.
_MAX_SERVICES = 1_000
_MAX_NAME_LENGTH = 200
_OTHERS = "(others)"


@dataclass(slots=True)
class ServiceAccount:
    """The spans of one service since the collector's start."""

    received: int = 0
    stored: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    """Cannot be stored: the sender was told (partial_success), by reason."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Not stored by us though they might have been, by reason."""

    @property
    def pending(self) -> int:
        """Received, and nothing decided yet: in memory, or in the spool."""
        return self.received - self.stored - self.rejected.total() - self.dropped.total()


class Ledger:
    """Counts spans. Safe to use from several threads."""

    def __init__(self) -> None:
        self._accounts: dict[str, ServiceAccount] = {}
        self._lock = threading.Lock()

    def receive(self, census: Mapping[str, int]) -> None:
        """Note that spans have come."""
        with self._lock:
            for service, spans in census.items():
                self._account(service).received += spans

    def store(self, census: Mapping[str, int]) -> None:
        """Note that spans are committed."""
        with self._lock:
            for service, spans in census.items():
                self._account(service).stored += spans

    def lose(
        self, how: Literal["rejected", "dropped"], losses: Mapping[tuple[str, str], int]
    ) -> None:
        """Note that spans will not be stored."""
        with self._lock:
            for (service, reason), spans in losses.items():
                getattr(self._account(service), how)[reason] += spans

    def drop(self, census: Mapping[str, int], *, reason: str) -> None:
        """Note that all these spans are dropped for one reason."""
        self.lose("dropped", {(service, reason): spans for service, spans in census.items()})

    def accounts(self) -> dict[str, ServiceAccount]:
        """Return a copy that adds up: taken between two changes."""
        with self._lock:
            return {
                service: ServiceAccount(
                    account.received,
                    account.stored,
                    Counter(account.rejected),
                    Counter(account.dropped),
                )
                for service, account in self._accounts.items()
            }

    def total(self) -> ServiceAccount:
        """Return the sum over all services."""
        return _sum(self.accounts().values())

    def _account(self, service: str) -> ServiceAccount:
        account = self._accounts.get(service)
        if account is None:
            name = service[:_MAX_NAME_LENGTH] if len(self._accounts) < _MAX_SERVICES else _OTHERS
            account = self._accounts.setdefault(name, ServiceAccount())
        return account


def _sum(accounts: Iterable[ServiceAccount]) -> ServiceAccount:
    total = ServiceAccount()
    for account in accounts:
        total.received += account.received
        total.stored += account.stored
        total.rejected += account.rejected
        total.dropped += account.dropped
    return total
