"""Keeps the table of violations in step with their findings, and with what people say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hotspan_collector.rules.actions import act, end_ignoring
from hotspan_collector.rules.lifecycle import Policy, decide, fall_silent
from hotspan_collector.rules.violation_table import ViolationTable, row_from
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hotspan_collector.database import Database
    from hotspan_collector.rules.catalogue import Catalogue
    from hotspan_collector.rules.proof import Release
    from hotspan_collector.rules.violation import Change, ViolationRow
    from hotspan_collector.rules.violation_table import ServiceKey

__all__ = ["Violations"]

_SQL = load_blocks(__package__ or "", "violations.sql")
_DAY_MS = 86_400_000


class Violations:
    """Reads what violations amount to, and writes what is decided about them."""

    def __init__(
        self,
        database: Database,
        *,
        catalogue: Catalogue,
        open_after_hits: int,
        rollback_after_ms: int = 600_000,
    ) -> None:
        """Prepare the table of those that have to be computed anew."""
        database.execute(_SQL["create_tick_hits"])
        self._database = database
        self._catalogue = catalogue
        self._open_after_hits = open_after_hits
        self._rollback_after_ms = rollback_after_ms
        self._table = ViolationTable(database)

    def forget_touched(self) -> None:
        """Empty the table of those that have to be computed anew."""
        self._database.execute(_SQL["empty_tick_hits"])

    def update(self, *, now_ms: int, generation: int, hold: bool = False) -> Sequence[Change]:
        """Bring the violations up to date whose hits are to be counted anew, by `tick_hits`.

        Args:
            now_ms: milliseconds since 1970.
            generation: numbers the evaluation; what later ones count replaces what this one does.
            hold: they are of rules over windows, whose conditions hold now.

        """
        self._database.execute(_SQL["count_hits"], {"generation": generation})
        values = self._database.rows(_SQL["hit_violations"])
        if not values:
            return []
        found = [row_from({**each, "status": "pending"}) for each in values]
        known = self._table.known(row.fingerprint for row in found)
        releases = self._table.releases(row for row in found if _needs_releases(known, row))
        decided = [
            decide(
                row,
                known.get(row.fingerprint),
                policy=self._policy(row.rule),
                hits_last_day=int(each["hits_last_day"]),
                hits_last_hour=int(each["hits_last_hour"]),
                now_ms=now_ms,
                holds=hold,
                releases=_of(row, releases),
            )
            for row, each in zip(found, values, strict=True)
        ]
        return self._write(decided, now_ms=now_ms)

    def apply_actions(self, *, now_ms: int) -> Sequence[Change]:
        """Apply what people have said since the last time."""
        actions = self._table.pending_actions()
        if not actions:
            return []
        rows = self._table.known({action.fingerprint for action in actions})
        changes = []
        for action in actions:
            if action.fingerprint in rows:
                rows[action.fingerprint], change = act(rows[action.fingerprint], action)
                changes.append(change)
        self._table.write(rows.values(), changes, now_ms=now_ms)
        return changes

    def find_silent(self, *, before_ms: int, now_ms: int) -> Sequence[Change]:
        """Let time do its work: alerts come to rest, ignoring ends, a day is over.

        Args:
            before_ms: an alert rests when the last hit was before.
            now_ms: milliseconds since 1970.

        """
        windows = [rule.id for rule in self._catalogue.rules.values() if rule.kind == "window"]
        silent = self._table.select(
            "silent_violations", {"before_ms": before_ms, "window_rules": windows}
        )
        self._forget_old_losses(windows, now_ms=now_ms)
        return [
            *self._write([fall_silent(row) for row in silent], now_ms=now_ms),
            *self._end_ignoring(now_ms=now_ms),
        ]

    def end(self, *, rules: Sequence[str], now_ms: int) -> Sequence[Change]:
        """Resolve the violations of rules over windows that are not found any more."""
        ended = self._table.select("ended_violations", {"window_rules": list(rules)})
        return self._write([fall_silent(row, ended=True) for row in ended], now_ms=now_ms)

    def _end_ignoring(self, *, now_ms: int) -> Sequence[Change]:
        ignored = self._table.select("ignored_violations", {})
        releases = self._table.releases(ignored)
        decided = [end_ignoring(row, releases=_of(row, releases), now_ms=now_ms) for row in ignored]
        return self._write([each for each in decided if each[1] is not None], now_ms=now_ms)

    def _forget_old_losses(self, windows: Sequence[str], *, now_ms: int) -> None:
        parameters = {"before_ms": now_ms - _DAY_MS, "window_rules": list(windows)}
        stale = self._table.select("stale_violations", parameters)
        self._table.write((replace(row, lost_ns_last_day=0.0) for row in stale), now_ms=now_ms)

    def _write(
        self, decided: Iterable[tuple[ViolationRow, Change | None]], *, now_ms: int
    ) -> Sequence[Change]:
        both = list(decided)
        changes = [change for _, change in both if change is not None]
        self._table.write((row for row, _ in both), changes, now_ms=now_ms)
        return changes

    def _policy(self, rule_id: str) -> Policy:
        rule = self._catalogue.rules.get(rule_id)
        return Policy(
            open_after_hits=(rule and rule.open_after_hits) or self._open_after_hits,
            opens_at_once=rule.opens_at_once if rule else False,
            critical_hits_per_hour=rule.critical_hits_per_hour if rule else 0,
            rollback_after_ms=self._rollback_after_ms,
            withdraws=rule is not None and rule.kind == "structural",
        )


def _needs_releases(known: dict[str, ViolationRow], row: ViolationRow) -> bool:
    before = known.get(row.fingerprint)
    return before is not None and (
        before.status in {"verified_fixed", "ignored"} or before.fixed_at_ms is not None
    )


def _of(row: ViolationRow, releases: dict[ServiceKey, list[Release]]) -> list[Release]:
    return releases.get((row.service, row.namespace, row.environment), [])
