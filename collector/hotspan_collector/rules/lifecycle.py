"""What becomes of a violation when its findings change: decided here, from plain data.

A violation is *pending* until it has been hit often enough to be worth somebody's time, *open* from
then on, and *quiet* when it has not been hit for a while. Silence is no proof of a fix.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

__all__ = ["Change", "Policy", "ViolationRow", "decide", "fall_silent"]

Status = Literal["pending", "open", "quiet"]
Event = Literal["opened", "resolved"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When a violation of a rule opens, and when it becomes critical."""

    open_after_hits: int
    opens_at_once: bool
    critical_hits_per_hour: int


@dataclass(frozen=True, slots=True)
class Change:
    """Something about a violation that people want to be told."""

    event: Event
    violation: ViolationRow


def decide(  # noqa: PLR0913 (what a decision rests on)
    found: ViolationRow,
    known: ViolationRow | None,
    *,
    policy: Policy,
    hits_last_day: int,
    hits_last_hour: int,
    now_ms: int,
    holds: bool = False,
) -> tuple[ViolationRow, Change | None]:
    """Return the violation as it is now, and what to tell about it.

    Args:
        found: what its findings amount to; its status does not matter.
        known: what was stored of it.
        policy: of its rule.
        hits_last_day: entries hit in the last 24 hours.
        hits_last_hour: entries hit in the last hour.
        now_ms: milliseconds since 1970.
        holds: the condition of a rule over windows holds now, whenever the entry ran that shows it.

    """
    severity = found.severity
    if policy.critical_hits_per_hour and hits_last_hour >= policy.critical_hits_per_hour:
        severity = "critical"
    current = replace(found, severity=severity)
    if known is not None and known.status == "open":
        return replace(current, status="open", opened_at_ms=known.opened_at_ms), None
    hit_again = holds or known is None or found.last_seen_ms > known.last_seen_ms
    at_once = policy.opens_at_once or severity == "critical"
    enough = hits_last_day >= (1 if at_once else policy.open_after_hits)
    if known is not None and known.status == "quiet" and not hit_again:
        return replace(current, status="quiet", opened_at_ms=known.opened_at_ms), None
    if not enough:
        return replace(current, status="pending"), None
    opened = replace(current, status="open", opened_at_ms=now_ms)
    return opened, Change("opened", opened)


def fall_silent(known: ViolationRow) -> tuple[ViolationRow, Change]:
    """Return an open violation that has not been hit for long as quiet, and the news of it."""
    quiet = replace(known, status="quiet")
    return quiet, Change("resolved", quiet)
