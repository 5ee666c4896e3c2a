"""How each rule did when it last ran: seen by whoever runs the collector."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hotspan_collector.database import time_text
from hotspan_collector.errors import HotspanError
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from hotspan_collector.database import Database, Row

__all__ = ["CANARY", "MeasuredDatabase", "RuleRun", "RuleRuns", "count_entries"]

CANARY = "(canary)"
"""Under this name stands whether the canary was found."""

_SQL = load_blocks(__package__ or "", "rule_runs.sql")
_LONGEST_ERROR = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRun:
    """A rule's last run."""

    rule: str
    ran_at_ms: int
    duration_ms: float = 0.0
    entries: int = 0
    failures: int = 0
    error: str = ""


class MeasuredDatabase:
    """A `Database` that takes the time of statements which run a rule: they name it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._took_ms: dict[str, float] = {}

    def rows(self, sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
        """See `Database.rows`."""
        return self._database.rows(sql, parameters)

    def execute(self, sql: str, parameters: Mapping[str, object] | None = None) -> None:
        """See `Database.execute`."""
        rule = str((parameters or {}).get("rule", ""))
        started = time.perf_counter()
        try:
            self._database.execute(sql, parameters)
        finally:
            if rule:
                took_ms = (time.perf_counter() - started) * 1000
                self._took_ms[rule] = self._took_ms.get(rule, 0.0) + took_ms

    def insert_rows(self, table: str, rows: Sequence[Mapping[str, object]]) -> None:
        """See `Database.insert_rows`."""
        self._database.insert_rows(table, rows)

    def json_bytes(self, sql: str, parameters: Mapping[str, object] | None = None) -> bytes:
        """See `Database.json_bytes`."""
        return self._database.json_bytes(sql, parameters)

    def take_durations(self, *, only: Iterable[str] | None = None) -> dict[str, float]:
        """Return how long rules took since the last call, in milliseconds; of all, or of some."""
        wanted = list(self._took_ms) if only is None else [*only]
        return {rule: self._took_ms.pop(rule) for rule in wanted if rule in self._took_ms}


class RuleRuns:
    """Keeps the last run of each rule, and writes it down for others to read."""

    def __init__(self) -> None:
        self._runs: dict[str, RuleRun] = {}
        self._unwritten: set[str] = set()

    def note(
        self,
        rules: Iterable[str],
        *,
        entries: int,
        took_ms: Mapping[str, float],
        failed: Mapping[str, str],
        now_ms: int,
    ) -> None:
        """Take note of a run of rules over so many entries."""
        for rule in rules:
            known = self._runs.get(rule) or RuleRun(rule=rule, ran_at_ms=now_ms)
            error = failed.get(rule, "")
            self._runs[rule] = replace(
                known,
                ran_at_ms=now_ms,
                duration_ms=took_ms.get(rule, 0.0),
                entries=entries,
                failures=known.failures + bool(error),
                error=error.partition("\n")[0][:_LONGEST_ERROR],
            )
            self._unwritten.add(rule)

    def failing(self) -> dict[str, str]:
        """Return the rules that failed when they last ran, and why."""
        return {each.rule: each.error for each in self._runs.values() if each.error}

    def write(self, database: Database, *, now_ms: int) -> None:
        """Write down what is new."""
        rows = [
            {
                "rule": run.rule,
                "ran_at": time_text(run.ran_at_ms),
                "duration_ms": run.duration_ms,
                "entries": run.entries,
                "failures": run.failures,
                "error": run.error,
                "written_at": time_text(now_ms),
            }
            for run in (self._runs[rule] for rule in sorted(self._unwritten))
        ]
        self._unwritten.clear()
        database.insert_rows("rule_runs", rows)


def count_entries(database: Database, *, since_ms: Collection[int]) -> dict[int, int]:
    """Return how many entries windows hold, by their begin."""
    begins = sorted(since_ms)
    if not begins:
        return {}
    try:
        [counted] = database.rows(_SQL["entries_since"], {"since_ms": begins})
    except HotspanError:
        return dict.fromkeys(begins, 0)
    return dict(zip(begins, counted["entries"] or [0] * len(begins), strict=True))
