"""Keeps the table of violations in step with their findings."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from hotspan_collector.rules.lifecycle import Change, Policy, ViolationRow, decide, fall_silent
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hotspan_collector.database import Database
    from hotspan_collector.rules.catalogue import Catalogue

__all__ = ["Violations"]

_SQL = load_blocks(__package__ or "", "violations.sql")
_COLUMNS = {item.name for item in fields(ViolationRow)}
_ROWS_PER_STATEMENT = 500


class Violations:
    """Reads what violations amount to, and writes what is decided about them."""

    def __init__(self, database: Database, *, catalogue: Catalogue, open_after_hits: int) -> None:
        """Prepare the table of those that have to be computed anew."""
        database.execute(_SQL["create_tick_fingerprints"])
        self._database = database
        self._catalogue = catalogue
        self._open_after_hits = open_after_hits

    def forget_touched(self) -> None:
        """Empty the table of those that have to be computed anew."""
        self._database.execute(_SQL["empty_tick_fingerprints"])

    def update(self, *, now_ms: int, hold: bool = False) -> Sequence[Change]:
        """Bring the violations up to date whose fingerprints stand in `tick_fingerprints`.

        Args:
            now_ms: milliseconds since 1970.
            hold: they are of rules over windows, whose conditions hold now.

        """
        found = self._database.rows(_SQL["hit_violations"])
        known = {row.fingerprint: row for row in self._known(str(f["fingerprint"]) for f in found)}
        decided = [
            decide(
                _row({**row, "status": "pending"}),
                known.get(str(row["fingerprint"])),
                policy=self._policy(str(row["rule"])),
                hits_last_day=int(row["hits_last_day"]),
                hits_last_hour=int(row["hits_last_hour"]),
                now_ms=now_ms,
                holds=hold,
            )
            for row in found
        ]
        self._write(row for row, _ in decided)
        return [change for _, change in decided if change is not None]

    def find_silent(self, *, before_ms: int) -> Sequence[Change]:
        """Let the violations fall silent whose last hit was before `before_ms`."""
        windows = [rule.id for rule in self._catalogue.rules.values() if rule.kind == "window"]
        parameters = {"before_ms": before_ms, "window_rules": windows}
        return self._silence(self._database.rows(_SQL["silent_violations"], parameters))

    def end(self, *, rules: Sequence[str]) -> Sequence[Change]:
        """Let the violations of rules over windows fall silent that are not found any more."""
        return self._silence(
            self._database.rows(_SQL["ended_violations"], {"window_rules": list(rules)})
        )

    def _silence(self, rows: Iterable[Mapping[str, Any]]) -> Sequence[Change]:
        decided = [fall_silent(_row(row)) for row in rows]
        self._write(row for row, _ in decided)
        return [change for _, change in decided]

    def _known(self, fingerprints: Iterable[str]) -> Iterable[ViolationRow]:
        wanted = list(fingerprints)
        for start in range(0, len(wanted), _ROWS_PER_STATEMENT):
            chunk = wanted[start : start + _ROWS_PER_STATEMENT]
            rows = self._database.rows(_SQL["known_violations"], {"fingerprints": chunk})
            yield from (_row(row) for row in rows)

    def _write(self, violations: Iterable[ViolationRow]) -> None:
        rows = [json.dumps(asdict(violation)) for violation in violations]
        for start in range(0, len(rows), _ROWS_PER_STATEMENT):
            chunk = rows[start : start + _ROWS_PER_STATEMENT]
            self._database.execute(_SQL["upsert_violations"], {"rows": chunk})

    def _policy(self, rule_id: str) -> Policy:
        rule = self._catalogue.rules.get(rule_id)
        return Policy(
            open_after_hits=(rule and rule.open_after_hits) or self._open_after_hits,
            opens_at_once=rule.opens_at_once if rule else False,
            critical_hits_per_hour=rule.critical_hits_per_hour if rule else 0,
        )


def _row(values: Mapping[str, Any]) -> ViolationRow:
    return ViolationRow(**{name: value for name, value in values.items() if name in _COLUMNS})
