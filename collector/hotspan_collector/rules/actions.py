"""What people say of violations, and until when they ignore them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from hotspan_collector.rules.violation import Change, Event, Ignoring, Status, ViolationRow, moved

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hotspan_collector.rules.proof import Release

__all__ = ["ALLOWED", "Action", "ActionName", "act", "end_ignoring"]

ActionName = Literal["acknowledge", "ignore", "unignore", "reopen", "resolve"]

ALLOWED: Mapping[ActionName, frozenset[Status]] = {
    "acknowledge": frozenset({"open", "ignored", "resolving", "regressed"}),
    "ignore": frozenset({"open", "acknowledged", "ignored", "resolving", "regressed"}),
    "unignore": frozenset({"ignored"}),
    "reopen": frozenset({"acknowledged", "ignored", "resolving", "verified_fixed"}),
    "resolve": frozenset({"open", "acknowledged", "ignored", "regressed"}),
}
"""In which states people may do what."""


_BECOMES: Mapping[ActionName, tuple[Event, Status]] = {
    "acknowledge": ("acknowledged", "acknowledged"),
    "ignore": ("ignored", "ignored"),
    "unignore": ("unignored", "open"),
    "reopen": ("reopened", "open"),
    "resolve": ("claimed", "resolving"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What somebody said of a violation."""

    id: str
    fingerprint: str
    at_ms: int
    action: ActionName
    by: str = ""
    reason: str = ""
    ignoring: Ignoring | None = None


def act(known: ViolationRow, action: Action) -> tuple[ViolationRow, Change]:
    """Return the violation as it is after what somebody said; what is not allowed does nothing."""
    event, status = _BECOMES[action.action]
    if known.status not in ALLOWED[action.action]:
        return known, Change(event, known, known.status, action.id)
    ignoring = action.ignoring and replace(
        action.ignoring, hits=known.hits, lost_ns=known.lost_ns_last_day
    )
    row = replace(
        moved(known, status, now_ms=action.at_ms, reason=action.reason),
        changed_by=action.by,
        ignoring=ignoring if status == "ignored" else None,
        claimed_at_ms=action.at_ms if status == "resolving" else None,
        counts_since_ms=(
            action.at_ms
            if action.action == "reopen" and known.status in {"resolving", "verified_fixed"}
            else known.counts_since_ms
        ),
        proof=None,
        fixed_at_ms=None,
    )
    return row, Change(event, row, known.status, action.id)


def end_ignoring(
    known: ViolationRow, *, releases: Iterable[Release], now_ms: int
) -> tuple[ViolationRow, Change | None]:
    """Open an ignored violation when that has come to its end."""
    why = _why_ended(known, known.ignoring, releases=releases, now_ms=now_ms)
    if not why:
        return known, None
    row = moved(known, "open", now_ms=now_ms, reason=why)
    # An earlier fix was judged when somebody chose to ignore it: this is no regression any more.
    row = replace(
        row, ignoring=None, quiet=False, opened_at_ms=now_ms, proof=None, fixed_at_ms=None
    )
    return row, Change("opened", row, known.status)


def _why_ended(
    known: ViolationRow, until: Ignoring | None, *, releases: Iterable[Release], now_ms: int
) -> str:
    if until is None:
        return ""
    if until.until_ms is not None and now_ms >= until.until_ms:
        return "its time is over"
    if until.more_hits is not None and known.hits >= until.hits + until.more_hits:
        return f"{known.hits - until.hits} more hits"
    if until.impact_factor is not None and (
        known.lost_ns_last_day > until.lost_ns * until.impact_factor
    ):
        return f"it costs more than {until.impact_factor:g} times what it did"
    if until.next_release:
        newer = [each.version for each in releases if each.first_seen_ms > until.at_ms]
        return f"release {newer[0]}" if newer else ""
    return ""
