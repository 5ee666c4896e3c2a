"""Evaluates entries soon after they have come (docs/adr/0002-evaluation.md).

A tick looks at the traces that were touched since the watermark, finds which entry each of their
spans belongs to, and runs the rules over the entries that are settled and have changed. What is
found carries the number of the tick, its generation; a finding counts while its generation is its
entry's. So evaluating again, in any order, after a crash, or with spans sent twice, ends in what
one evaluation of everything would have found.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import structlog

from hotspan_collector.database import exists
from hotspan_collector.errors import StoreOverloadedError, StoreRefusedError
from hotspan_collector.rules.scopes import variants
from hotspan_collector.rules.touched import Bounds, Touched
from hotspan_collector.rules.violations import Violations
from hotspan_collector.rules.windows import Windows
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from hotspan_collector.database import Database
    from hotspan_collector.rules.catalogue import Catalogue, Rule
    from hotspan_collector.rules.violation import Change

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
# A block may begin with what must be there for it to find anything.
_WHEN = re.compile(r"\A-- when: (.+)$", re.MULTILINE)
# More than so many traces that cannot be evaluated are no accident: the evaluation is at fault.
_SET_ASIDE_PER_TICK = 3


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
    waiting: int = 0
    """Traces with entries that are not settled yet."""
    set_aside: Mapping[str, str] = field(default_factory=dict)
    """Traces that could not be evaluated, as hex ids, and why. They are left alone until more of
    their spans come."""
    newest_entry: datetime | None = None
    changes: Sequence[Change] = ()
    failed_rules: Mapping[str, str] = field(default_factory=dict)


class Evaluator:
    """Turns spans into entries, findings and violations. For one thread; one evaluator a store."""

    def __init__(  # noqa: PLR0913 (what it is made of)
        self,
        database: Database,
        *,
        catalogue: Catalogue,
        timing: Timing,
        open_after_hits: int,
        rollback_after_ms: int = 600_000,
        bounds: Bounds | None = None,
    ) -> None:
        """Prepare the tables of a tick, and go on where the last evaluator stopped."""
        self._database = database
        self._catalogue = catalogue
        self._timing = timing
        self._violations = Violations(
            database,
            catalogue=catalogue,
            open_after_hits=open_after_hits,
            rollback_after_ms=rollback_after_ms,
        )
        self._windows = Windows(database, catalogue=catalogue, violations=self._violations)
        for name, statement in {**_SQL, **_INPUTS}.items():
            if name.startswith("create_"):
                database.execute(statement)
        self._touched = Touched(
            database, look_back_ms=timing.look_back_ms, bounds=bounds or Bounds()
        )
        self._generation = self._touched.finished_generation

    def tick(self) -> TickReport:
        """Evaluate what is ready.

        Raises:
            StoreUnavailableError: nothing is lost; the next tick does it again.

        """
        now_ms = self._scalar("store_now", "now_ms")
        reports: list[TickReport] = []
        for part in self._touched.find(now_ms=now_ms):
            reports.extend(self._evaluate_or_halve(part, now_ms=now_ms))
            if sum(len(report.set_aside) for report in reports) > _SET_ASIDE_PER_TICK:
                raise StoreRefusedError(next(iter(reports[-1].set_aside.values())))
        self._generation = max(self._generation + 1, now_ms)
        waiting = self._touched.remember(now_ms=now_ms, generation=self._generation)
        return replace(_joined(reports), waiting=waiting)

    def run_windows(
        self, *, now_ms: int | None = None
    ) -> tuple[Sequence[Change], Mapping[str, str]]:
        """Run the rules over windows that end now; return what changed, and what failed."""
        return self._windows.run(now_ms=now_ms or self._scalar("store_now", "now_ms"))

    def find_silent(self, *, quiet_after_ms: int) -> Sequence[Change]:
        """Let violations fall silent that have not been hit for long, and other times end."""
        now_ms = self.now_ms()
        return self._violations.find_silent(before_ms=now_ms - quiet_after_ms, now_ms=now_ms)

    def apply_actions(self) -> Sequence[Change]:
        """Apply what people have said of violations since the last time."""
        return self._violations.apply_actions(now_ms=self.now_ms())

    def run_over(self, fill: Callable[[], None]) -> Mapping[str, str]:
        """Run the rules over what `fill` puts where they read; return those that failed.

        What they find stands in `rule_found`, and goes no further.
        """
        self._empty()
        fill()
        return {**dict(self._fill_inputs()), **dict(self._run_rules(self._catalogue.rules))}

    def replay(
        self, rule: Rule, *, fill_traces: Callable[[], None], fill_entries: Callable[[], None]
    ) -> Mapping[str, str]:
        """Run one rule over stored entries; what it finds stands in `rule_found` only.

        Args:
            rule: need not be one of the catalogue.
            fill_traces: fills `tick_traces` with the traces to load.
            fill_entries: fills `rule_entries` from `tick_entries`.

        """
        self._empty()
        fill_traces()
        self._load()
        self._resolve()
        self._execute("fill_tick_entries", now_ms=0, settle_ms=0, settle_incomplete_ms=0)
        fill_entries()
        self._execute("fill_rule_spans")
        return {**dict(self._fill_inputs()), **dict(self._run_rules({rule.id: rule}))}

    def try_window(self, rule: Rule) -> tuple[int, str]:
        """Run a rule over its window up to now; see `Windows.try_rule`."""
        return self._windows.try_rule(rule, now_ms=self.now_ms())

    def now_ms(self) -> int:
        """Return the time by the store's clock, by which evaluations are numbered."""
        return self._scalar("store_now", "now_ms")

    def _evaluate_or_halve(self, part: range, *, now_ms: int) -> Iterator[TickReport]:
        """Evaluate a part; when the store cannot do it, find the trace that is to blame."""
        try:
            yield self._evaluate(part, now_ms=now_ms)
        except (StoreRefusedError, StoreOverloadedError) as error:
            if len(part) == 1:
                trace_id = self._touched.trace_id(part.start)
                _LOG.exception("trace_set_aside", trace_id=trace_id)
                yield TickReport(traces=1, set_aside={trace_id: str(error)})
                return
            middle = part.start + len(part) // 2
            for half in (range(part.start, middle), range(middle, part.stop)):
                yield from self._evaluate_or_halve(half, now_ms=now_ms)

    def _evaluate(self, part: range, *, now_ms: int) -> TickReport:
        # An attempt that fails leaves findings behind: the next one has a number of its own.
        self._generation = generation = max(self._generation + 1, now_ms)
        self._empty()
        self._violations.forget_touched()
        self._touched.take(part)
        self._load()
        self._resolve()
        self._execute(
            "fill_tick_entries",
            now_ms=now_ms,
            settle_ms=self._timing.settle_ms,
            settle_incomplete_ms=self._timing.settle_incomplete_ms,
        )
        self._execute("fill_rule_entries")
        failed: dict[str, str] = {}
        [ready] = self._rows("count_rule_entries")
        if ready["entries"]:
            failed = self._find(generation)
            self._execute("insert_statements")
            self._execute("insert_entries", generation=generation)
        self._execute("insert_publications", generation=generation)
        self._execute("bury_entries", generation=generation)
        self._execute("fill_tick_fingerprints", finished=self._touched.finished_generation)
        changes = self._violations.update(now_ms=now_ms)
        self._touched.wait(now_ms=now_ms)
        return TickReport(
            traces=len(part),
            entries=int(ready["entries"]),
            newest_entry=ready["newest"] if ready["entries"] else None,
            changes=changes,
            failed_rules=failed,
        )

    def _load(self) -> None:
        self._execute("fill_trace_bounds", from_ms=self._touched.from_ms)
        self._execute("fill_tick_shared_ids")
        self._load_spans("own_id")
        if self._scalar("count_tick_shared_ids", "ids"):
            self._load_spans("shared_id")

    def _load_spans(self, condition: str) -> None:
        self._database.execute(_SQL["fill_tick_spans"].replace("{which}", _SQL[condition]))

    def _resolve(self) -> None:
        spans = self._scalar("count_tick_spans", "spans")
        self._execute("first_hop")
        step = self._hop(0, spans=spans)
        if exists(self._database, _SQL["nested"]):
            self._database.execute(
                _SQL["hop_out"].replace("{nested}", _SQL["nested"]), {"step": step}
            )
            step = self._hop(step + 1, spans=spans)
        self._execute("fill_tick_members", step=step)

    def _hop(self, first_step: int, *, spans: int) -> int:
        """Jump until nothing moves; return the last step."""
        # A chain of n spans is walked in log2(n) steps; what still moves then is a circle.
        steps = math.ceil(math.log2(max(2, spans))) + 1
        for step in range(first_step + 1, first_step + steps + 1):
            self._execute("next_hop", step=step)
            if not self._scalar("hops_moved", "moved", step=step):
                break
        return step

    def _find(self, generation: int) -> dict[str, str]:
        """Run the rules; return those that failed, and why."""
        self._execute("fill_rule_spans")
        failed = {**dict(self._fill_inputs()), **dict(self._run_rules(self._catalogue.rules))}
        if self._scalar("count_rule_found", "found"):
            self._execute("insert_findings", generation=generation, failed=list(failed))
        return failed

    def _fill_inputs(self) -> Iterator[tuple[str, str]]:
        """Make what rules share; yield what failed. Rules that read it find nothing then."""
        for name, statement in _INPUTS.items():
            if not name.startswith("fill_"):
                continue
            when = _WHEN.match(statement)
            try:
                if when is None or exists(self._database, when[1]):
                    self._database.execute(statement)
            except (StoreRefusedError, StoreOverloadedError) as error:
                _LOG.exception("rule_input_failed", block=name)
                yield name, str(error)

    def _run_rules(self, rules: Mapping[str, Rule]) -> Iterator[tuple[str, str]]:
        """Run every rule; yield those that failed. One that fails harms no other."""
        for rule in rules.values():
            if rule.kind != "structural":
                continue
            try:
                for each in variants(self._database, rule, entries="rule_entries"):
                    if each.applies(self._database, each.values):
                        self._database.execute(
                            _SQL["find"].replace("{rule_sql}", each.sql),
                            {"rule": each.id, "about": each.about, **each.values},
                        )
            except (StoreRefusedError, StoreOverloadedError) as error:
                _LOG.exception("rule_failed", rule=rule.id)
                yield rule.id, str(error)

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


def _joined(reports: Sequence[TickReport]) -> TickReport:
    return TickReport(
        traces=sum(report.traces for report in reports),
        entries=sum(report.entries for report in reports),
        set_aside={trace: why for each in reports for trace, why in each.set_aside.items()},
        newest_entry=max(
            (report.newest_entry for report in reports if report.newest_entry), default=None
        ),
        changes=[change for report in reports for change in report.changes],
        failed_rules={rule: why for each in reports for rule, why in each.failed_rules.items()},
    )
