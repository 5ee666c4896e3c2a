"""Thresholds that hold only somewhere: for tasks, a service, a route, a queue, one violation.

The most specific wins: a fingerprint before a queue, before a route or task, before a service and
its environment, before web, task or command. Of equals the later one wins, and what was set in the
UI or over the API comes after the settings file.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hotspan_collector.errors import ConfigurationError
from hotspan_collector.sql import literal, load_blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hotspan_collector.database import Database
    from hotspan_collector.rules.rule import Rule, RuleSetting

__all__ = ["CONDITIONS", "Scope", "in_order", "parse_scope", "variants"]

_SQL = load_blocks(__package__ or "", "scopes.sql")
CONDITIONS = ("kind", "environment", "service", "entry", "queue", "fingerprint")
"""By what a scope is told, the least specific first."""
_KINDS = ("web", "task", "command")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Values that hold where all conditions do; an empty one always does."""

    kind: str = ""
    environment: str = ""
    service: str = ""
    entry: str = ""
    """A route, task or command; `*` stands for anything."""
    queue: str = ""
    fingerprint: str = ""
    values: Mapping[str, object]
    id: str = ""
    """Of one that was set over the API; empty for those of the settings file."""
    by: str = ""
    reason: str = ""

    @property
    def rank(self) -> tuple[bool, ...]:
        """How specific it is."""
        return tuple(bool(getattr(self, name)) for name in reversed(CONDITIONS))


def parse_scope(
    rule_id: str, settings: Mapping[str, RuleSetting], table: Mapping[str, object]
) -> Scope:
    """Read a scope: conditions and values beside each other.

    Raises:
        ConfigurationError: a name is neither, or a value does not fit.

    """
    where = f"[[rules.{rule_id}.where]]"
    conditions = {name: table[name] for name in CONDITIONS if name in table}
    values = {name: value for name, value in table.items() if name not in CONDITIONS}
    unknown = sorted(values.keys() - settings.keys())
    if unknown or not values:
        reason = f"has no setting {', '.join(unknown)}" if unknown else "sets nothing"
        raise ConfigurationError(
            f"{where} {reason}. Conditions: {', '.join(CONDITIONS)}. "
            f"Settings: {', '.join(settings)}."
        )
    for name, value in conditions.items():
        if not isinstance(value, str) or not value:
            raise ConfigurationError(f"{where} {name} = {value!r}: expected a text.")
    if conditions.get("kind", _KINDS[0]) not in _KINDS:
        raise ConfigurationError(
            f"{where} kind = {conditions['kind']!r}: expected one of {', '.join(_KINDS)}."
        )
    if "fingerprint" in conditions and len(conditions) > 1:
        raise ConfigurationError(
            f"{where} fingerprint is of one violation: leave the other conditions out."
        )
    checked = {name: settings[name].check(rule_id, value) for name, value in values.items()}
    return Scope(**{name: str(value) for name, value in conditions.items()}, values=checked)


def in_order(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    """Return scopes with the most specific last; what is set by the API comes after the file's."""
    return tuple(sorted(scopes, key=lambda each: (each.rank, bool(each.id))))


def variants(database: Database, rule: Rule, *, entries: str) -> Iterator[Rule]:
    """Return a rule once for each set of values that is in force among entries.

    Each runs over all of them, and keeps only what it finds where its values are in force.

    Args:
        database: holds the entries.
        rule: with its scopes.
        entries: what stands behind FROM: the entries that are looked at.

    """
    if not rule.scopes:
        yield rule
        return
    asked = _SQL["masks"].replace("{entries}", entries).replace("{mask}", _mask(rule))
    of_entries = {int(row["mask"]) for row in database.rows(asked)}
    every = {mask | chosen for mask in of_entries for chosen in _masks_of_fingerprints(rule)}
    for mask in sorted(every):
        applied = [each for number, each in enumerate(rule.scopes) if mask >> number & 1]
        values = dict(rule.values)
        for scope in applied:
            values.update(scope.values)
        sql = (
            _SQL["kept"]
            .replace("{rule_sql}", rule.sql)
            .replace("{entries}", entries)
            .replace("{mask}", _mask(rule, fingerprint=_SQL["fingerprint"]))
            .replace("{wanted}", str(mask))
        )
        yield replace(rule, values=values, sql=sql, scopes=())


def _masks_of_fingerprints(rule: Rule) -> set[int]:
    """Return the bits of each violation that has scopes of its own, and none for all others."""
    bits: dict[str, int] = defaultdict(int)
    for number, scope in enumerate(rule.scopes):
        if scope.fingerprint:
            bits[scope.fingerprint] |= 1 << number
    return {0, *bits.values()}


def _mask(rule: Rule, *, fingerprint: str = "") -> str:
    """Return SQL for a number that has a bit for each scope which holds."""
    return " + ".join(
        f"bitShiftLeft(toUInt64({_condition(scope, fingerprint)}), {number})"
        for number, scope in enumerate(rule.scopes)
    )


def _condition(scope: Scope, fingerprint: str) -> str:
    if scope.fingerprint:
        # Entries have none: it is asked of what was found in them.
        return f"{fingerprint} = {literal(scope.fingerprint)}" if fingerprint else "0"
    parts = [
        f"entry.{name} = {literal(getattr(scope, name))}"
        for name in ("kind", "environment", "service", "queue")
        if getattr(scope, name)
    ]
    if "*" in scope.entry:
        pattern = re.sub(r"([\\%_])", r"\\\1", scope.entry).replace("*", "%")
        parts.append(f"entry.name LIKE {literal(pattern)}")
    elif scope.entry:
        parts.append(f"entry.name = {literal(scope.entry)}")
    return f"({' AND '.join(parts)})" if parts else "1"
