"""Runs the rules over windows: those that look at many entries at once, every so often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from hotspan_collector.errors import StoreRefusedError
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hotspan_collector.database import Database
    from hotspan_collector.rules.catalogue import Catalogue
    from hotspan_collector.rules.lifecycle import Change
    from hotspan_collector.rules.violations import Violations

__all__ = ["WINDOW", "Windows"]

_LOG = structlog.get_logger(__name__)
_SQL = load_blocks(__package__ or "", "windows.sql")
_EMPTY_FINGERPRINTS = load_blocks(__package__ or "", "evaluate.sql")["empty_tick_fingerprints"]
_MINUTE_MS = 60_000

WINDOW = "window_minutes"
"""The setting that every rule over windows has: how far it looks back."""


class Windows:
    """Finds what only many entries together show. For the evaluator's thread."""

    def __init__(self, database: Database, *, catalogue: Catalogue, violations: Violations) -> None:
        """Prepare the table that a round fills."""
        self._database = database
        self._rules = [rule for rule in catalogue.rules.values() if rule.kind == "window"]
        self._violations = violations
        database.execute(_SQL["create_window_findings"])

    def run(self, *, now_ms: int) -> tuple[Sequence[Change], Mapping[str, str]]:
        """Evaluate every rule over its window up to now; return what changed, and what failed."""
        self._database.execute(_SQL["empty_window_findings"])
        self._database.execute(_EMPTY_FINGERPRINTS)
        failed: dict[str, str] = {}
        for rule in self._rules:
            parameters = {
                **rule.values,
                "rule": rule.id,
                "about": rule.about,
                "since_ms": now_ms - int(float(str(rule.values[WINDOW])) * _MINUTE_MS),
            }
            try:
                self._database.execute(_SQL["find"].replace("{rule_sql}", rule.sql), parameters)
            except StoreRefusedError as error:
                _LOG.exception("rule_failed", rule=rule.id)
                failed[rule.id] = str(error)
        self._database.execute(_SQL["keep"])
        self._database.execute(_SQL["fill_tick_fingerprints"])
        changes = [
            *self._violations.update(now_ms=now_ms),
            *self._violations.end(rules=[rule.id for rule in self._rules if rule.id not in failed]),
        ]
        return changes, failed
