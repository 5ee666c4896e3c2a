"""The rules that run now: read at the start, and again when files or overrides have changed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from hotspan_collector.errors import ConfigurationError
from hotspan_collector.rules.catalogue import Catalogue, load_catalogue
from hotspan_collector.rules.scopes import in_order, parse_scope
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hotspan_collector.database import Database, Row
    from hotspan_collector.rules.rule import Rule

__all__ = ["Rulebook"]

_LOG = structlog.get_logger(__name__)
_SQL = load_blocks(__package__ or "", "rule_runs.sql")


class Rulebook:
    """Knows the rules that run now. Its catalogue is one object, which changes in place."""

    def __init__(
        self,
        *,
        values: Mapping[str, Mapping[str, object]],
        disabled: Sequence[str],
        folder: Path | None,
    ) -> None:
        """Read all rules.

        Args:
            values: of the settings file, by rule id.
            disabled: ids of rules not to run.
            folder: holds rule files of the user's own.

        Raises:
            ConfigurationError: a file, or a value, cannot be used.

        """
        self._values = values
        self._disabled = tuple(disabled)
        self._folder = folder
        self._overrides: object = None
        self._stale = False
        self.catalogue = load_catalogue(values=values, disabled=disabled, folder=folder)

    def read_again(self) -> None:
        """Have the files read again at the next `refresh`. Safe to call from a signal handler."""
        self._stale = True

    def refresh(self, database: Database) -> bool:
        """Bring the catalogue up to date; return whether it has changed.

        What is wrong is logged and stands in the catalogue's problems; its rules stay as they were.
        """
        state = tuple(database.rows(_SQL["overrides_state"])[0].values())
        if not self._stale and state == self._overrides:
            return False
        self._stale, self._overrides = False, state
        known = load_catalogue(
            values=self._values,
            disabled=self._disabled,
            folder=self._folder,
            known=self.catalogue,
        )
        rules, problems = _overridden(known.rules, database.rows(_SQL["overrides"]))
        fresh = Catalogue(rules, (*known.problems, *problems))
        for problem in fresh.problems:
            _LOG.error("rule_not_read", problem=problem)
        if (fresh.rules, fresh.problems) == (self.catalogue.rules, self.catalogue.problems):
            return False
        self.catalogue.become(fresh)
        return True


def _overridden(
    rules: Mapping[str, Rule], overrides: Sequence[Row]
) -> tuple[dict[str, Rule], list[str]]:
    """Add what was set over the API; what cannot be used any more is a problem, not an error."""
    changed = {
        name: replace(rule, scopes=tuple(each for each in rule.scopes if not each.id))
        for name, rule in rules.items()
    }
    problems = []
    for row in overrides:
        rule = changed.get(row["rule"])
        if rule is None:
            continue
        try:
            scope = parse_scope(rule.id, rule.settings, json.loads(row["scope"]))
        except ConfigurationError as error:
            problems.append(f"override {row['id']}: {error}")
            continue
        scope = replace(scope, id=row["id"], by=row["by"], reason=row["reason"])
        changed[rule.id] = replace(rule, scopes=in_order([*rule.scopes, scope]))
    return changed, problems
