"""Trials: a rule runs over stored history, and what it finds is shown and kept nowhere.

The evaluator's thread does it, a slice of history between two ticks, so that what comes in goes on
being judged, and both use the same tables.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hotspan_collector.errors import HotspanError
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotspan_collector.database import Database, Row
    from hotspan_collector.rules.evaluator import Evaluator
    from hotspan_collector.rules.rule import Rule

__all__ = ["Trial", "Trials"]

_SQL = load_blocks(__package__ or "", "trials.sql")
_SPANS_A_SLICE = 100_000
_BUCKET_MS = 300_000
# The worst are shown; all are counted.
_MOST_FINDINGS = 200


@dataclass(slots=True, kw_only=True)
class Trial:
    """A trial and how far it has come. Written by the evaluator's thread, read by any."""

    rule: Rule
    since_ms: int
    entries: int = 0
    entries_done: int = 0
    found: int = 0
    findings: list[Row] = field(default_factory=list)
    error: str = ""
    cancelled: bool = False
    ended: threading.Event = field(default_factory=threading.Event)
    slices: deque[tuple[int, int, int]] | None = None
    """Begin, end and number of entries of what is still to be looked at."""


class Trials:
    """What waits to be tried."""

    def __init__(self) -> None:
        self._waiting: deque[Trial] = deque()
        self.accepting = True
        """Whether this is the process that evaluates: no other does them."""

    def add(self, rule: Rule, *, since_ms: int) -> Trial:
        """Have a rule tried; return what tells how far that has come."""
        trial = Trial(rule=rule, since_ms=since_ms)
        self._waiting.append(trial)
        return trial

    @property
    def waiting(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._waiting)

    def step(self, evaluator: Evaluator, database: Database) -> None:
        """Do a slice of the oldest trial. For the evaluator's thread, between two ticks."""
        trial = self._waiting[0]
        try:
            if trial.rule.kind == "window":
                _look_back(trial, evaluator, database)
            elif not trial.cancelled:
                _look_at_slice(trial, evaluator, database)
        except HotspanError as error:
            trial.error = str(error).partition("\n")[0]
        if trial.cancelled or trial.error or not trial.slices:
            self._waiting.popleft()
            trial.ended.set()


def _look_back(trial: Trial, evaluator: Evaluator, database: Database) -> None:
    entries, failed = evaluator.try_window(trial.rule)
    trial.error = failed
    trial.entries = trial.entries_done = entries
    _keep(trial, database, found="rule_found", entries="current_entries")


def _look_at_slice(trial: Trial, evaluator: Evaluator, database: Database) -> None:
    if trial.slices is None:
        rows = database.rows(_SQL["slices"], {"since_ms": trial.since_ms})
        trial.slices = deque(_slices(rows, since_ms=trial.since_ms))
        trial.entries = sum(entries for _, _, entries in trial.slices)
    if not trial.slices:
        return
    begin_ms, end_ms, entries = trial.slices.popleft()
    parameters = {"begin_ms": begin_ms, "end_ms": end_ms}

    def fill_traces() -> None:
        database.execute(_SQL["traces_of_slice"], parameters)

    def fill_entries() -> None:
        database.execute(_SQL["entries_of_slice"], parameters)

    failed = evaluator.replay(trial.rule, fill_traces=fill_traces, fill_entries=fill_entries)
    trial.error = next(iter(failed.values()), "").partition("\n")[0]
    trial.entries_done += entries
    _keep(trial, database, found="rule_found", entries="rule_entries")


def _keep(trial: Trial, database: Database, *, found: str, entries: str) -> None:
    sql = _SQL["found"].replace("{found}", found).replace("{entries}", entries)
    rows = database.rows(sql, {"rule": trial.rule.id})
    trial.found += len(rows)
    worst = sorted([*trial.findings, *rows], key=lambda row: -int(row["wasted_ns"]))
    trial.findings = worst[:_MOST_FINDINGS]


def _slices(rows: Sequence[Row], *, since_ms: int) -> list[tuple[int, int, int]]:
    """Join buckets up to what one step should look at."""
    slices: list[tuple[int, int, int]] = []
    spans = 0
    for row in rows:
        begin_ms, entries = max(int(row["begin_ms"]), since_ms), int(row["entries"])
        end_ms = int(row["begin_ms"]) + _BUCKET_MS
        if slices and spans + int(row["spans"]) <= _SPANS_A_SLICE:
            first_ms, _, before = slices[-1]
            slices[-1] = (first_ms, end_ms, before + entries)
            spans += int(row["spans"])
        else:
            slices.append((begin_ms, end_ms, entries))
            spans = int(row["spans"])
    return slices
