"""What becomes of a violation: decided here, from plain data (docs/adr/0004-lifecycle.md).

What findings do to it is `decide`, what time does `fall_silent`, what newer releases show `weigh`;
what people say stands in `actions`. Silence is no proof of a fix.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hotspan_collector.rules.actions import end_ignoring
from hotspan_collector.rules.proof import Proof, releases_since
from hotspan_collector.rules.violation import ALERTING, Change, ViolationRow, moved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotspan_collector.rules.proof import Release

__all__ = ["Policy", "decide", "fall_silent", "weigh"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When a violation of a rule opens, when it becomes critical, and when it is withdrawn."""

    open_after_hits: int
    opens_at_once: bool
    critical_hits_per_hour: int
    rollback_after_ms: int = 600_000
    """An older release is hit, and the fixed ones have not run for so long: a roll-back."""
    withdraws: bool = True
    """Without any finding there is no violation. Rules over windows end by themselves."""


# What may be open of a violation that was fixed once.
_ROLLED_BACK = frozenset({"open", "acknowledged", "resolving"})


def decide(  # noqa: PLR0911, PLR0913 (a return for each state)
    found: ViolationRow,
    known: ViolationRow | None,
    *,
    policy: Policy,
    hits_last_day: int,
    hits_last_hour: int,
    now_ms: int,
    holds: bool = False,
    releases: Sequence[Release] = (),
) -> tuple[ViolationRow, Change | None]:
    """Return the violation as it is now that its findings have changed, and what became of it.

    Args:
        found: what its findings amount to; its status does not matter.
        known: what was stored of it.
        policy: of its rule.
        hits_last_day: entries hit in the last 24 hours.
        hits_last_hour: entries hit in the last hour.
        now_ms: milliseconds since 1970.
        holds: the condition of a rule over windows holds now, whenever the entry ran that shows it.
        releases: of its service in its environment.

    """
    severity = found.severity
    if policy.critical_hits_per_hour and hits_last_hour >= policy.critical_hits_per_hour:
        severity = "critical"
    current = _carry_on(replace(found, severity=severity), known)
    at_once = policy.opens_at_once or severity == "critical"
    enough = found.hits > 0 and hits_last_day >= (1 if at_once else policy.open_after_hits)
    hit_again = holds or known is None or found.last_seen_ms > known.last_seen_ms
    if known is None or known.status == "pending":
        return _open(current, now_ms=now_ms) if enough else (current, None)
    if not found.hits and policy.withdraws:
        return _withdraw(current, now_ms=now_ms)
    if known.fixed_at_ms is not None and known.status in _ROLLED_BACK:
        # It was fixed, and then rolled back.
        again = _after_fix(
            current, policy=policy, hit_again=hit_again, releases=releases, now_ms=now_ms
        )
        if again[1] is not None:
            return again
    match known.status:
        case "resolved":
            return _open(current, now_ms=now_ms) if hit_again and enough else (current, None)
        case "verified_fixed":
            return _after_fix(
                current, policy=policy, hit_again=hit_again, releases=releases, now_ms=now_ms
            )
        case "ignored":
            return end_ignoring(current, releases=releases, now_ms=now_ms)
        case "resolving" if _disproves(current, known):
            return _reopen(current, known, now_ms=now_ms)
    return _wake(current, now_ms=now_ms) if hit_again and enough else (current, None)


def fall_silent(known: ViolationRow, *, ended: bool = False) -> tuple[ViolationRow, Change]:
    """Return a violation whose alert comes to rest, and the news of it.

    Args:
        known: as it was.
        ended: the condition of a rule over windows holds no more.

    """
    quiet = replace(known, status="resolved") if ended else replace(known, quiet=True)
    return quiet, Change("resolved", quiet, known.status)


def weigh(known: ViolationRow, proof: Proof, *, now_ms: int) -> tuple[ViolationRow, Change | None]:
    """Return the violation as it is with what shows, by now, that it is fixed."""
    row = replace(known, proof=proof)
    if not proof.entries:
        return known, None
    if proof.is_enough:
        where = ", ".join(proof.releases)
        row = moved(
            row,
            "verified_fixed",
            now_ms=now_ms,
            reason=f"{proof.entries} entries of {where or 'no release'} without it",
        )
        row = replace(row, fixed_at_ms=now_ms, lost_ns_last_day=0.0, ignoring=None)
        return row, Change("fixed", row, known.status)
    if known.status in {"ignored", "resolving"}:
        return row, None
    row = moved(row, "resolving", now_ms=now_ms)
    return row, Change("resolving", row, known.status)


def _carry_on(found: ViolationRow, known: ViolationRow | None) -> ViolationRow:
    """Return what was found, with all that only what is stored knows."""
    if known is None:
        return replace(found, status="pending")
    return replace(
        found,
        status=known.status,
        opened_at_ms=known.opened_at_ms,
        quiet=known.quiet,
        changed_at_ms=known.changed_at_ms,
        changed_by=known.changed_by,
        reason=known.reason,
        claimed_at_ms=known.claimed_at_ms,
        counts_since_ms=known.counts_since_ms,
        ignoring=known.ignoring,
        proof=known.proof,
        fixed_at_ms=known.fixed_at_ms,
        regressed_version=known.regressed_version,
    )


def _open(row: ViolationRow, *, now_ms: int, reason: str = "") -> tuple[ViolationRow, Change]:
    opened = replace(
        moved(row, "open", now_ms=now_ms, reason=reason),
        opened_at_ms=now_ms,
        quiet=False,
        claimed_at_ms=None,
        proof=None,
        fixed_at_ms=None,
    )
    return opened, Change("opened", opened, row.status)


def _wake(row: ViolationRow, *, now_ms: int) -> tuple[ViolationRow, Change | None]:
    """Let the alert of what was quiet fire again, where somebody is to be told."""
    if not row.quiet:
        return row, None
    if row.status not in ALERTING:
        return replace(row, quiet=False), None
    awake = replace(row, quiet=False, opened_at_ms=now_ms)
    return awake, Change("opened", awake, row.status)


def _withdraw(row: ViolationRow, *, now_ms: int) -> tuple[ViolationRow, Change | None]:
    """Late spans have shown that there was nothing."""
    gone = moved(row, "pending", now_ms=now_ms, reason="its findings were none")
    told = row.status in ALERTING and not row.quiet
    return gone, Change("resolved", gone, row.status) if told else None


def _after_fix(
    row: ViolationRow,
    *,
    policy: Policy,
    hit_again: bool,
    releases: Sequence[Release],
    now_ms: int,
) -> tuple[ViolationRow, Change | None]:
    """Judge the hits of a violation that was verified as fixed."""
    proof = row.proof
    previous = row.status
    if proof is None or row.fixed_at_ms is None:
        return row, None
    fixed = releases_since(releases, proof.since_ms)
    hit = [each for each in fixed if each.version in row.hit_versions]
    unversioned = not proof.releases and row.last_seen_ms > row.fixed_at_ms
    if hit or unversioned:
        version = hit[0].version if hit else row.last_version
        row = moved(
            row, "regressed", now_ms=now_ms, reason=f"came back in {version or 'no release'}"
        )
        row = replace(
            row,
            opened_at_ms=now_ms,
            quiet=False,
            regressed_version=version,
            claimed_at_ms=None,
            proof=None,
            fixed_at_ms=None,
        )
        return row, Change("regressed", row, previous)
    fix_last_ran_ms = max((each.last_seen_ms for each in fixed), default=0)
    if (
        previous == "verified_fixed"
        and hit_again
        and row.last_seen_ms - max(fix_last_ran_ms, proof.since_ms) > policy.rollback_after_ms
    ):
        opened, change = _open(row, now_ms=now_ms, reason=f"rolled back to {row.last_version}")
        # What was fixed stays known: a later release that has it again is a regression.
        opened = replace(
            opened,
            counts_since_ms=row.last_seen_ms,
            proof=row.proof,
            fixed_at_ms=row.fixed_at_ms,
        )
        return opened, replace(change, violation=opened)
    return row, None


def _reopen(row: ViolationRow, known: ViolationRow, *, now_ms: int) -> tuple[ViolationRow, Change]:
    reason = f"hit in {row.last_version or 'no release'}"
    row = moved(row, "open", now_ms=now_ms, reason=reason)
    row = replace(row, claimed_at_ms=None, proof=None, quiet=False)
    return row, Change("reopened", row, known.status)


def _disproves(row: ViolationRow, known: ViolationRow) -> bool:
    """Tell whether a hit says that the violation is not on its way to be fixed."""
    if known.claimed_at_ms is not None:
        return row.last_seen_ms > known.claimed_at_ms
    return not set(row.hit_versions) <= set(known.hit_versions)
