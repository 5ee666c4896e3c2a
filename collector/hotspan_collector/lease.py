"""Decides which of several collectors on one store does what only one at a time may do.

The store decides, without Keeper: docs/adr/0006-several-collectors.md.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog

from hotspan_collector.errors import LeaseLostError
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hotspan_collector.database import Database, Row

__all__ = ["Guarded", "Lease", "LeaseState", "SoleOwner", "StoredLease", "instance_name"]

_LOG = structlog.get_logger(__name__)
_SQL = load_blocks(__package__ or "", "lease.sql")
# Of the lease's length: who holds it stops so much before others may begin.
_MARGIN = 0.1


def instance_name() -> str:
    """Return a name that no other process has: host, process, and a random part."""
    return f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(3)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseState:
    """What the store says of a lease."""

    name: str
    owner: str
    """Who holds it; empty when nobody does."""
    epoch: int
    age_s: float
    """Since it was last claimed."""
    note: str
    """What the owner said then."""


class Lease(Protocol):
    """The right to do something that one process at a time may do."""

    @property
    def name(self) -> str:
        """Of what is done."""
        ...

    @property
    def term(self) -> int:
        """Grows whenever the lease was taken anew: others may have had it in between."""
        ...

    def is_held(self) -> bool:
        """Whether we may, now. Asks no one; safe in any thread."""
        ...

    def claim(self) -> bool:
        """Take the lease, or keep it; return whether we have it.

        Raises:
            HotspanError: the store does not answer. What is held is held until its time is over.

        """
        ...

    def release(self) -> None:
        """Let another process have it at once. Raises as `claim` does."""
        ...

    def state(self) -> LeaseState:
        """Return who has it. Raises as `claim` does."""
        ...


class SoleOwner:
    """The lease of a store that belongs to one process: always held."""

    term = 1

    def __init__(self, name: str, *, owner: str) -> None:
        self.name = name
        self._owner = owner

    def is_held(self) -> bool:
        """See `Lease.is_held`."""
        return True

    def claim(self) -> bool:
        """See `Lease.claim`."""
        return True

    def release(self) -> None:
        """See `Lease.release`."""

    def state(self) -> LeaseState:
        """See `Lease.state`."""
        return LeaseState(name=self.name, owner=self._owner, epoch=1, age_s=0.0, note="")


class StoredLease:
    """A lease in a store that several processes use. `claim` and `release` are for one thread."""

    def __init__(
        self,
        database: Database,
        name: str,
        *,
        owner: str,
        length_s: float,
        note: Callable[[], str] = str,
    ) -> None:
        """Prepare; nothing is held before `claim`.

        Args:
            database: where the lease is kept.
            name: of what is done.
            owner: we, by a name that no other process has.
            length_s: how long a claim holds.
            note: returns what others are told with each claim.

        """
        self.name = name
        self.term = 0
        self._database = database
        self._owner = owner
        self._length_s = length_s
        self._note = note
        self._held_until_s = 0.0

    def is_held(self) -> bool:
        """See `Lease.is_held`."""
        return _now_s() < self._held_until_s

    def claim(self) -> bool:
        """See `Lease.claim`."""
        began_s = _now_s()
        was_held = self.is_held()
        known = self.state()
        if known.owner not in {"", self._owner} and known.age_s < self._length_s:
            self._held_until_s = 0.0
            return False
        self._write(known.epoch + 1, owner=self._owner, note=self._note())
        last = self.state()
        if (last.epoch, last.owner) != (known.epoch + 1, self._owner):
            self._held_until_s = 0.0
            return False
        if not was_held:
            self.term += 1
            _LOG.info("lease_taken", lease=self.name, epoch=last.epoch, before=known.owner)
        # By our clock, from before the claim was sent: the store's begins later.
        self._held_until_s = began_s + self._length_s * (1 - _MARGIN)
        return True

    def release(self) -> None:
        """See `Lease.release`."""
        if not self.is_held():
            return
        self._held_until_s = 0.0
        self._write(self.state().epoch + 1, owner="", note="")
        _LOG.info("lease_released", lease=self.name)

    def state(self) -> LeaseState:
        """See `Lease.state`."""
        [row] = self._database.rows(_SQL["read"], {"name": self.name})
        return LeaseState(
            name=self.name,
            owner=row["last_owner"],
            epoch=int(row["last_epoch"]),
            age_s=row["age_ms"] / 1000,
            note=row["last_note"],
        )

    def _write(self, epoch: int, *, owner: str, note: str) -> None:
        self._database.execute(
            _SQL["claim"].replace("{token}", f"{self.name}-{epoch}"),
            {"name": self.name, "epoch": epoch, "owner": owner, "note": note},
        )


class Guarded:
    """A `Database` for whoever holds a lease: refuses every statement once it is lost."""

    def __init__(self, lease: Lease, connect: Callable[[], Database]) -> None:
        """Prepare; `connect` is called at the first use in the thread that uses it."""
        self._lease = lease
        self._connect = connect
        self._database: Database | None = None
        self._term = 0

    def take_over(self) -> bool:
        """Begin to work; return whether others may have worked since the last time."""
        changed = self._term != self._lease.term
        self._term = self._lease.term
        return changed

    def rows(self, sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
        """See `Database.rows`."""
        return self._checked().rows(sql, parameters)

    def execute(self, sql: str, parameters: Mapping[str, object] | None = None) -> None:
        """See `Database.execute`."""
        self._checked().execute(sql, parameters)

    def insert_rows(self, table: str, rows: Sequence[Mapping[str, object]]) -> None:
        """See `Database.insert_rows`."""
        self._checked().insert_rows(table, rows)

    def json_bytes(self, sql: str, parameters: Mapping[str, object] | None = None) -> bytes:
        """See `Database.json_bytes`."""
        return self._checked().json_bytes(sql, parameters)

    def _checked(self) -> Database:
        if self._database is None:
            self._database = self._connect()
        if not self._lease.is_held() or self._term != self._lease.term:
            raise LeaseLostError
        return self._database


def _now_s() -> float:
    # Runs on while the machine is suspended, unlike time.monotonic().
    return time.clock_gettime(time.CLOCK_BOOTTIME)
