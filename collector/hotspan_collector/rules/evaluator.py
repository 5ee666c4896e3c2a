"""Evaluates entries soon after they have come (docs/adr/0002-evaluation.md).

A tick looks at the traces that were touched since the watermark, finds which entry each of their
spans belongs to, and runs the rules over the entries that are settled and have changed. What is
found carries the number of the tick, its generation; a finding counts while its generation is its
entry's. So evaluating again, in any order, after a crash, or with spans sent twice, ends in what
one evaluation of everything would have found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import structlog

from hotspan_collector.database import exists
from hotspan_collector.errors import StoreOverloadedError, StoreRefusedError
from hotspan_collector.rules.finder import INPUTS, find
from hotspan_collector.rules.scratch import Scratch
from hotspan_collector.rules.touched import Bounds, Touched
from hotspan_collector.rules.violations import Violations
from hotspan_collector.rules.windows import TABLES, Windows
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
        self._scratch = Scratch(database, {**_SQL, **INPUTS, **TABLES})
        self._windows = Windows(
            database, catalogue=catalogue, violations=self._violations, scratch=self._scratch
        )
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
        clock_ms = self.now_ms()
        self._generation = max(self._generation + 1, clock_ms)
        return self._windows.run(now_ms=now_ms or clock_ms, generation=self._generation)

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
        self._scratch.empty()
        self._scratch.note_filled("rule_entries", "rule_spans")
        fill()
        return find(self._database, self._scratch, self._catalogue.rules)

    def replay(
        self, rule: Rule, *, fill_traces: Callable[[], None], fill_entries: Callable[[], None]
    ) -> Mapping[str, str]:
        """Run one rule over stored entries; what it finds stands in `rule_found` only.

        Args:
            rule: need not be one of the catalogue.
            fill_traces: fills `tick_traces` with the traces to load.
            fill_entries: fills `rule_entries` from `tick_entries`.

        """
        self._scratch.empty()
        fill_traces()
        bounds = self._bounds()
        self._resolve(self._load(bounds))
        self._execute("fill_tick_known", **bounds)
        self._execute("fill_tick_entries", now_ms=0, settle_ms=0, settle_incomplete_ms=0)
        self._scratch.note_filled("rule_entries")
        fill_entries()
        self._execute("fill_rule_spans")
        return find(self._database, self._scratch, {rule.id: rule})

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
        self._scratch.empty()
        self._touched.take(part)
        bounds = self._bounds()
        loaded = self._load(bounds)
        self._resolve(loaded)
        self._execute("fill_tick_known", **bounds)
        self._execute(
            "fill_tick_entries",
            now_ms=now_ms,
            settle_ms=self._timing.settle_ms,
            settle_incomplete_ms=self._timing.settle_incomplete_ms,
        )
        [judged] = self._rows("count_tick_entries")
        found, failed = self._find(generation) if judged["ready"] else (0, {})
        if judged["ready"]:
            self._execute("insert_entries", generation=generation)
        if loaded["publications"]:
            self._execute("insert_publications", generation=generation)
        if judged["known"]:
            self._execute("bury_entries", generation=generation)
        changes: Sequence[Change] = ()
        if found or judged["known"]:
            self._violations.forget_touched()
            self._execute("fill_tick_hits", finished=self._touched.finished_generation, **bounds)
            changes = self._violations.update(now_ms=now_ms, generation=generation)
        self._touched.wait(now_ms=now_ms, unsettled=judged["unsettled"], spans=loaded["spans"])
        return TickReport(
            traces=len(part),
            entries=int(judged["ready"]),
            newest_entry=judged["newest"] if judged["ready"] else None,
            changes=changes,
            failed_rules=failed,
        )

    def _bounds(self) -> Mapping[str, int]:
        """Return when the first span of the traces began, and the last one ended."""
        self._execute("fill_trace_bounds", from_ms=self._touched.from_ms)
        return self._rows("bounds_of_traces")[0]

    def _load(self, bounds: Mapping[str, int]) -> Mapping[str, int]:
        """Load the spans of the traces; return how many there are, and of what kind."""
        self._load_spans("every_id", bounds)
        [loaded] = self._rows("count_tick_spans")
        if loaded["spans"] == loaded["ids"]:
            return loaded
        self._execute("fill_tick_shared_ids")
        self._database.execute(_SQL["forget_tick_spans"])
        self._load_spans("own_id", bounds)
        self._load_spans("shared_id", bounds)
        return self._rows("count_tick_spans")[0]

    def _load_spans(self, condition: str, bounds: Mapping[str, int]) -> None:
        statement = _SQL["fill_tick_spans"].replace("{which}", _SQL[condition])
        self._scratch.execute(statement, bounds)

    def _resolve(self, loaded: Mapping[str, int]) -> None:
        self._execute("first_hop")
        step = self._hop(0, spans=loaded["spans"])
        if loaded["perhaps_nested"] and exists(self._database, _SQL["nested"]):
            self._scratch.execute(
                _SQL["hop_out"].replace("{nested}", _SQL["nested"]), {"step": step}
            )
            step = self._hop(step + 1, spans=loaded["spans"])
        self._execute("fill_tick_members", step=step)

    def _hop(self, step: int, *, spans: int) -> int:
        """Jump until nothing moves; return the last step."""
        # A chain of n spans is walked in log2(n) steps; what still moves then is a circle.
        for _ in range(math.ceil(math.log2(max(2, spans))) + 1):
            if not self._scalar("hops_on", "moving", step=step):
                break
            step += 1
            self._execute("next_hop", step=step)
        return step

    def _find(self, generation: int) -> tuple[int, dict[str, str]]:
        """Run the rules; return how much they found, and which failed, and why."""
        self._execute("fill_rule_entries")
        self._execute("fill_rule_spans")
        failed = find(self._database, self._scratch, self._catalogue.rules)
        self._execute("insert_statements")
        if self._scratch.is_empty("rule_found"):
            return 0, failed
        found = self._scalar("count_rule_found", "found")
        if found:
            self._execute("insert_findings", generation=generation, failed=list(failed))
        return found, failed

    def _execute(self, block: str, **parameters: object) -> None:
        self._scratch.execute(_SQL[block], parameters)

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
