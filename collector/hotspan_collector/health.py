"""What the collector knows about itself."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotspan_collector.rules.evaluator import TickReport

__all__ = ["EvaluatorHealth", "EvaluatorReport"]

_SET_ASIDE_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatorReport:
    """How an evaluator is doing, in this process or in another one."""

    lag_s: float | None = None
    """Since the last tick that worked; None before the first."""
    pending_traces: int = 0
    newest_entry: datetime | None = None
    failing_rules: Mapping[str, str] = field(default_factory=dict)
    traces_set_aside: Mapping[str, str] = field(default_factory=dict)

    def to_note(self) -> str:
        """Return it as text for other processes."""
        newest = self.newest_entry.isoformat() if self.newest_entry else None
        texts = dict(self.failing_rules), dict(self.traces_set_aside)
        return json.dumps([self.lag_s, self.pending_traces, newest, *texts])

    @classmethod
    def from_note(cls, note: str, *, age_s: float) -> EvaluatorReport:
        """Return what another process has said some time ago."""
        if not note:
            return cls()
        lag_s, pending, newest, failing, *set_aside = json.loads(note)
        return cls(
            lag_s=None if lag_s is None else lag_s + age_s,
            pending_traces=pending,
            newest_entry=datetime.fromisoformat(newest) if newest else None,
            failing_rules=failing,
            traces_set_aside=dict(*set_aside),
        )


@dataclass(slots=True)
class EvaluatorHealth:
    """How the evaluator is doing. Written by one thread, read by any."""

    last_tick_at: float | None = None
    newest_entry: datetime | None = None
    pending_traces: int = 0
    last_error: str = ""
    failed_rules: Mapping[str, str] = field(default_factory=dict)
    failed_windows: Mapping[str, str] = field(default_factory=dict)
    traces_set_aside: Mapping[str, str] = field(default_factory=dict)
    """The newest traces that could not be evaluated, and why, since the start."""

    canary_error: str = ""
    """Why the entry made up for the rules was not found when last looked for."""

    def rule_failures(self) -> dict[str, str]:
        """Return the rules that failed when they last ran, and why."""
        canary = {"(canary)": self.canary_error} if self.canary_error else {}
        return {**self.failed_rules, **self.failed_windows, **canary}

    def note(self, report: TickReport) -> None:
        """Take in what a tick did."""
        self.last_tick_at = time.monotonic()
        self.last_error = ""
        self.pending_traces = report.waiting
        if report.newest_entry is not None:
            self.newest_entry = report.newest_entry
        if report.set_aside:
            reasons = {trace: why.partition("\n")[0] for trace, why in report.set_aside.items()}
            known = [*{**self.traces_set_aside, **reasons}.items()]
            self.traces_set_aside = dict(known[-_SET_ASIDE_SHOWN:])
        if report.entries:
            self.failed_rules = report.failed_rules

    def note_failure(self, error: Exception) -> None:
        """Take in that a tick failed."""
        self.last_error = str(error)

    def lag_s(self) -> float | None:
        """Return the seconds since the last tick that worked; None before the first."""
        return None if self.last_tick_at is None else time.monotonic() - self.last_tick_at

    def stand_by(self) -> None:
        """Take in that another process evaluates now."""
        self.last_tick_at = None
        self.pending_traces = 0

    def report(self) -> EvaluatorReport:
        """Return how it is doing now."""
        return EvaluatorReport(
            lag_s=self.lag_s(),
            pending_traces=self.pending_traces,
            newest_entry=self.newest_entry,
            failing_rules=self.rule_failures(),
            traces_set_aside=self.traces_set_aside,
        )
