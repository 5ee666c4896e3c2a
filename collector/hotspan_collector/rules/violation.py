"""A violation as it is stored, and what may become of it: plain data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from hotspan_collector.rules.proof import Proof

__all__ = ["ACTIVE", "ALERTING", "Change", "Event", "Ignoring", "Status", "ViolationRow", "moved"]

Status = Literal[
    "pending",
    "open",
    "acknowledged",
    "ignored",
    "resolving",
    "verified_fixed",
    "regressed",
    "resolved",
]
Event = Literal[
    "opened",
    "acknowledged",
    "ignored",
    "unignored",
    "reopened",
    "claimed",
    "resolving",
    "fixed",
    "regressed",
    "resolved",
]
ACTIVE: frozenset[Status] = frozenset({"open", "acknowledged", "resolving", "regressed"})
"""What is somebody's work."""
ALERTING: frozenset[Status] = frozenset({"open", "resolving", "regressed"})
"""Of what the outside is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignoring:
    """Until when a violation is ignored: whichever of what is set comes first; nothing is for ever.

    `hits` and `lost_ns` are what it had when that began.
    """

    at_ms: int
    hits: int = 0
    lost_ns: float = 0.0
    until_ms: int | None = None
    more_hits: int | None = None
    impact_factor: float | None = None
    next_release: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ViolationRow:
    """A violation as it is stored; times are milliseconds since 1970."""

    fingerprint: str
    rule: str
    status: Status
    service: str
    namespace: str
    environment: str
    entry_kind: str
    entry_name: str
    severity: str
    confidence: str
    hits: int
    max_count: int
    mean_wasted_ns: float
    lost_ns_last_day: float
    first_seen_ms: int
    last_seen_ms: int
    first_version: str
    last_version: str
    opened_at_ms: int | None = None
    quiet: bool = False
    hit_versions: tuple[str, ...] = ()
    changed_at_ms: int | None = None
    changed_by: str = ""
    reason: str = ""
    claimed_at_ms: int | None = None
    """When somebody said that it is fixed."""
    counts_since_ms: int | None = None
    """It was open after all: what ran before proves nothing."""
    ignoring: Ignoring | None = None
    proof: Proof | None = None
    fixed_at_ms: int | None = None
    regressed_version: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that became of a violation."""

    event: Event
    violation: ViolationRow
    previous: str = ""
    id: str = ""
    """Of the action, where it was one."""

    @property
    def alerts(self) -> bool:
        """Whether the outside is told."""
        return self.event in {"opened", "resolved", "fixed", "regressed"}


def moved(row: ViolationRow, status: Status, *, now_ms: int, reason: str = "") -> ViolationRow:
    """Return a violation that has come to a state by itself."""
    return replace(row, status=status, changed_at_ms=now_ms, changed_by="", reason=reason)
