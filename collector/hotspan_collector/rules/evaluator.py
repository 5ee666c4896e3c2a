"""Evaluates entries soon after they have come (docs/adr/0002-evaluation.md).

A tick looks at the traces that were touched since the watermark, finds which entry each of their
spans belongs to, and runs the rules over the entries that are settled and have changed. What is
found carries the number of the tick, its generation; a finding counts while its generation is its
entry's. So evaluating again, in any order, after a crash, or with spans sent twice, ends in what
one evaluation of everything would have found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import structlog

from hotspan_collector.errors import StoreOverloadedError, StoreRefusedError
from hotspan_collector.rules.violations import Violations
from hotspan_collector.rules.windows import Windows
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from hotspan_collector.database import Database
    from hotspan_collector.rules.catalogue import Catalogue
    from hotspan_collector.rules.lifecycle import Change

__all__ = ["Evaluator", "TickReport", "Timing"]

_LOG = structlog.get_logger(__name__)
_SQL = load_blocks(__package__ or "", "evaluate.sql")
# What several rules read besides spans and entries is made once a tick, by the blocks `create_…`,
# `empty_…` and `fill_…` of the files in inputs/.
_INPUTS = {
    name: statement
    for filename in sorted(each.name for each in files(__package__).joinpath("inputs").iterdir())
    for name, statement in load_blocks(__package__ or "", f"inputs/{filename}").items()
}
_TRACES_PER_STATEMENT = 2_000
# Bounds the memory of a tick; what is more is evaluated in the same tick, part by part.
_TRACES_PER_PART = 10_000
_WATERMARK = "evaluator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When an entry is ready to be evaluated."""

    settle_ms: int
    settle_incomplete_ms: int
    look_back_ms: int
    """An insert becomes visible at most this long after the time it carries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TickReport:
    """What a tick did."""

    traces: int = 0
    entries: int = 0
    pending: Mapping[str, int] = field(default_factory=dict)
    """Traces with entries that are not settled yet, as hex ids, and when the last span came, in
    milliseconds since 1970."""
    newest_entry: datetime | None = None
    changes: Sequence[Change] = ()
    failed_rules: Mapping[str, str] = field(default_factory=dict)


class Evaluator:
    """Turns spans into entries, findings and violations. For one thread; one evaluator a store."""

    def __init__(
        self, database: Database, *, catalogue: Catalogue, timing: Timing, open_after_hits: int
    ) -> None:
        """Prepare the tables of a tick, and go on where the last evaluator stopped."""
        self._database = database
        self._catalogue = catalogue
        self._timing = timing
        self._violations = Violations(
            database, catalogue=catalogue, open_after_hits=open_after_hits
        )
        self._windows = Windows(database, catalogue=catalogue, violations=self._violations)
        self._looked_at: dict[str, frozenset[int]] = {}
        self._pending: Mapping[str, int] = {}
        for name, statement in {**_SQL, **_INPUTS}.items():
            if name.startswith("create_"):
                database.execute(statement)
        self._from_ms, self._generation = self._resume()

    def tick(self) -> TickReport:
        """Evaluate what is ready.

        Raises:
            StoreUnavailableError: nothing is lost; the next tick does it again.

        """
        now_ms = self._scalar("store_now", "now_ms")
        touched = {
            str(row["trace"]): frozenset(row["inserts"])
            for row in self._rows("touched", from_ms=self._from_ms)
        }
        traces = {
            trace for trace, inserts in touched.items() if not inserts <= self._seen(trace)
        } | self._pending.keys()
        reports = [self._evaluate(part, now_ms=now_ms) for part in _parts(sorted(traces))]
        report = _joined(reports)
        self._pending = report.pending
        self._remember(touched, now_ms=now_ms)
        return report

    def run_windows(
        self, *, now_ms: int | None = None
    ) -> tuple[Sequence[Change], Mapping[str, str]]:
        """Run the rules over windows that end now; return what changed, and what failed."""
        return self._windows.run(now_ms=now_ms or self._scalar("store_now", "now_ms"))

    def find_silent(self, *, quiet_after_ms: int) -> Sequence[Change]:
        """Let violations fall silent that have not been hit for long."""
        now_ms = self._scalar("store_now", "now_ms")
        return self._violations.find_silent(before_ms=now_ms - quiet_after_ms)

    def _evaluate(self, traces: Sequence[str], *, now_ms: int) -> TickReport:
        generation = max(self._generation + 1, now_ms)
        self._empty()
        self._violations.forget_touched()
        self._load(traces)
        self._resolve()
        self._execute(
            "fill_tick_entries",
            now_ms=now_ms,
            settle_ms=self._timing.settle_ms,
            settle_incomplete_ms=self._timing.settle_incomplete_ms,
        )
        self._execute("fill_rule_entries")
        failed: dict[str, str] = {}
        ready = self._rows("count_rule_entries")[0]
        if ready["entries"]:
            self._execute("fill_rule_spans")
            failed = {**dict(self._fill_inputs()), **dict(self._run_rules(generation))}
            self._execute("insert_statements")
            self._execute("insert_entries", generation=generation)
        self._execute("insert_publications", generation=generation)
        self._execute("bury_entries", generation=generation)
        self._execute("fill_tick_fingerprints", finished=self._generation)
        changes = self._violations.update(now_ms=now_ms)
        self._generation = generation
        return TickReport(
            traces=len(traces),
            entries=int(ready["entries"]),
            pending={str(row["trace"]): int(row["inserted_ms"]) for row in self._rows("unsettled")},
            newest_entry=ready["newest"] if ready["entries"] else None,
            changes=changes,
            failed_rules=failed,
        )

    def _load(self, traces: Sequence[str]) -> None:
        for start in range(0, len(traces), _TRACES_PER_STATEMENT):
            chunk = list(traces[start : start + _TRACES_PER_STATEMENT])
            self._execute("fill_tick_traces", traces=chunk)
        self._execute("fill_trace_bounds", from_ms=self._from_ms)
        self._execute("fill_tick_spans")

    def _resolve(self) -> None:
        spans = self._scalar("count_tick_spans", "spans")
        self._execute("first_hop")
        step = 0
        # A chain of n spans is walked in log2(n) steps; what still moves then is a circle.
        for step in range(1, math.ceil(math.log2(max(2, spans))) + 2):
            self._execute("next_hop", step=step)
            if not self._scalar("hops_moved", "moved", step=step):
                break
        self._execute("fill_tick_members", step=step)

    def _fill_inputs(self) -> Iterator[tuple[str, str]]:
        """Make what rules share; yield what failed. Rules that read it find nothing then."""
        for name, statement in _INPUTS.items():
            if not name.startswith("fill_"):
                continue
            try:
                self._database.execute(statement)
            except (StoreRefusedError, StoreOverloadedError) as error:
                _LOG.exception("rule_input_failed", block=name)
                yield name, str(error)

    def _run_rules(self, generation: int) -> Iterator[tuple[str, str]]:
        """Run every rule; yield those that failed. One that fails harms no other."""
        for rule in self._catalogue.rules.values():
            if rule.kind != "structural":
                continue
            statement = _SQL["insert_findings"].replace("{rule_sql}", rule.sql)
            try:
                self._database.execute(
                    statement,
                    {
                        "rule": rule.id,
                        "about": rule.about,
                        "generation": generation,
                        **rule.values,
                    },
                )
            except (StoreRefusedError, StoreOverloadedError) as error:
                _LOG.exception("rule_failed", rule=rule.id)
                yield rule.id, str(error)

    def _seen(self, trace: str) -> frozenset[int]:
        return self._looked_at.get(trace, frozenset())

    def _remember(self, touched: Mapping[str, frozenset[int]], *, now_ms: int) -> None:
        # Inserts that are under way carry a time at most `look_back_ms` ago: so far we look again.
        self._looked_at = dict(touched)
        self._from_ms = max(self._from_ms, now_ms - self._timing.look_back_ms)
        # What is pending is known in memory only: whoever takes over must begin before it.
        oldest_ms = min(self._pending.values(), default=now_ms)
        self._execute(
            "write_watermark",
            name=_WATERMARK,
            watermark_ms=min(self._from_ms, oldest_ms - 1),
            generation=max(self._generation + 1, now_ms),
        )

    def _resume(self) -> tuple[int, int]:
        known = self._rows("read_watermark", name=_WATERMARK)
        if known:
            return int(known[0]["watermark_ms"]), int(known[0]["generation"])
        first = self._rows("first_span")[0]
        return (int(first["first_ms"]) - 1 if first["spans"] else 0), 0

    def _empty(self) -> None:
        for name, statement in {**_SQL, **_INPUTS}.items():
            if name.startswith("empty_"):
                self._database.execute(statement)

    def _execute(self, block: str, **parameters: object) -> None:
        self._database.execute(_SQL[block], parameters)

    def _rows(self, block: str, **parameters: object) -> Sequence[Mapping[str, Any]]:
        return self._database.rows(_SQL[block], parameters)

    def _scalar(self, block: str, column: str, **parameters: object) -> int:
        return int(self._rows(block, **parameters)[0][column])


def _parts(traces: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(traces), _TRACES_PER_PART):
        yield traces[start : start + _TRACES_PER_PART]


def _joined(reports: Sequence[TickReport]) -> TickReport:
    return TickReport(
        traces=sum(report.traces for report in reports),
        entries=sum(report.entries for report in reports),
        pending={trace: at for report in reports for trace, at in report.pending.items()},
        newest_entry=max(
            (report.newest_entry for report in reports if report.newest_entry), default=None
        ),
        changes=[change for report in reports for change in report.changes],
        failed_rules={rule: why for each in reports for rule, why in each.failed_rules.items()},
    )
