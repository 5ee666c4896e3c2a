"""Runs the rules over windows: those that look at many entries at once, every so often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from hotspan_collector.database import exists
from hotspan_collector.errors import StoreOverloadedError, StoreRefusedError
from hotspan_collector.rules.finder import run_rule
from hotspan_collector.rules.rule_runs import count_entries
from hotspan_collector.rules.scopes import variants
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hotspan_collector.database import Database
    from hotspan_collector.rules.catalogue import Catalogue, Rule
    from hotspan_collector.rules.scratch import Scratch
    from hotspan_collector.rules.violation import Change
    from hotspan_collector.rules.violations import Violations

__all__ = ["TABLES", "WINDOW", "Windows", "longest_window_ms"]

_LOG = structlog.get_logger(__name__)
_SQL = load_blocks(__package__ or "", "windows.sql")
TABLES = {
    "create_rule_found": load_blocks(__package__ or "", "evaluate.sql")["create_rule_found"],
    "create_window_findings": _SQL["create_window_findings"],
}
"""What makes the tables of a round."""
_MINUTE_MS = 60_000
# A day's window hardly changes in half a minute: what looks back further than an hour looks again
# after a two-hundredth of its window.
_ALWAYS_MS = 60 * _MINUTE_MS
_ROUNDS_A_WINDOW = 200

WINDOW = "window_minutes"
"""The setting that every rule over windows has: how far it looks back."""


class Windows:
    """Finds what only many entries together show. For the evaluator's thread."""

    def __init__(
        self,
        database: Database,
        *,
        catalogue: Catalogue,
        violations: Violations,
        scratch: Scratch,
    ) -> None:
        """Prepare.

        Args:
            database: with the entries.
            catalogue: the rules.
            violations: are brought up to date.
            scratch: has the tables of `TABLES`.

        """
        self._database = database
        self._scratch = scratch
        self._rules = [rule for rule in catalogue.rules.values() if rule.kind == "window"]
        self._violations = violations
        self._ran_at_ms: dict[str, int] = {}
        self._failed: dict[str, str] = {}

    def run(self, *, now_ms: int, generation: int) -> tuple[Sequence[Change], Mapping[str, str]]:
        """Evaluate the rules that are due, over their windows up to now.

        Args:
            now_ms: milliseconds since 1970.
            generation: numbers this evaluation.

        Returns:
            What changed, and the rules that failed when they last ran.

        """
        self._scratch.empty()
        self._violations.forget_touched()
        due = [rule for rule in self._rules if self._is_due(rule, now_ms=now_ms)]
        for rule in due:
            self._find(rule, now_ms=now_ms)
        oldest_ms = min((_since_ms(rule, now_ms=now_ms) for rule in due), default=now_ms)
        hit: Sequence[Change] = ()
        if self._found():
            self._scratch.execute(_SQL["attribute"], {"since_ms": oldest_ms})
            self._database.execute(_SQL["keep"])
            self._database.execute(_SQL["fill_tick_hits"])
            hit = self._violations.update(now_ms=now_ms, generation=generation, hold=True)
        changes = [
            *hit,
            *self._violations.end(
                rules=[rule.id for rule in due if rule.id not in self._failed], now_ms=now_ms
            ),
        ]
        return changes, dict(self._failed)

    def try_rule(self, rule: Rule, *, now_ms: int) -> tuple[int, str]:
        """Run a rule that need not be one of the catalogue; what it finds is kept nowhere.

        It stands in `rule_found` until the next tick. Returns how many entries the window has,
        and why the rule failed.
        """
        self._scratch.empty()
        ran_at_ms, failed = dict(self._ran_at_ms), dict(self._failed)
        self._find(rule, now_ms=now_ms)
        why = self._failed.get(rule.id, "")
        self._ran_at_ms, self._failed = ran_at_ms, failed
        since_ms = now_ms - longest_window_ms(rule)
        return count_entries(self._database, since_ms={since_ms})[since_ms], why

    def _found(self) -> bool:
        return not self._scratch.is_empty("rule_found") and exists(self._database, "rule_found")

    def _is_due(self, rule: Rule, *, now_ms: int) -> bool:
        window_ms = now_ms - _since_ms(rule, now_ms=now_ms)
        last_ms = self._ran_at_ms.get(rule.id)
        return (
            last_ms is None
            or window_ms <= _ALWAYS_MS
            or now_ms - last_ms >= window_ms / _ROUNDS_A_WINDOW
        )

    def _find(self, rule: Rule, *, now_ms: int) -> None:
        """Run one rule. One that fails harms no other."""
        self._ran_at_ms[rule.id] = now_ms
        self._failed.pop(rule.id, None)
        entries = _SQL["entries"].replace("{since_ms}", str(_since_ms(rule, now_ms=now_ms)))
        try:
            for variant in variants(self._database, rule, entries=entries):
                self._find_variant(variant, now_ms=now_ms)
        except (StoreRefusedError, StoreOverloadedError) as error:
            _LOG.exception("rule_failed", rule=rule.id)
            self._failed[rule.id] = str(error)

    def _find_variant(self, rule: Rule, *, now_ms: int) -> None:
        parameters = {**rule.values, "since_ms": _since_ms(rule, now_ms=now_ms)}
        if rule.applies(self._database, parameters):
            run_rule(self._scratch, rule, parameters)


def longest_window_ms(rule: Rule) -> int:
    """Return how far a rule over windows looks back, wherever it looks furthest."""
    windows = [rule.values[WINDOW], *(each.values.get(WINDOW, 0) for each in rule.scopes)]
    return int(max(float(str(each)) for each in windows) * _MINUTE_MS)


def _since_ms(rule: Rule, *, now_ms: int) -> int:
    return now_ms - longest_window_ms(rule)
