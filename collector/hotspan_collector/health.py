"""What the collector knows about itself."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from hotspan_collector.rules.evaluator import TickReport

__all__ = ["EvaluatorHealth"]


@dataclass(slots=True)
class EvaluatorHealth:
    """How the evaluator is doing. Written by one thread, read by any."""

    last_tick_at: float | None = None
    newest_entry: datetime | None = None
    pending_traces: int = 0
    last_error: str = ""
    failed_rules: Mapping[str, str] = field(default_factory=dict)
    failed_windows: Mapping[str, str] = field(default_factory=dict)

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
        if report.entries:
            self.failed_rules = report.failed_rules

    def note_failure(self, error: Exception) -> None:
        """Take in that a tick failed."""
        self.last_error = str(error)

    def lag_s(self) -> float | None:
        """Return the seconds since the last tick that worked; None before the first."""
        return None if self.last_tick_at is None else time.monotonic() - self.last_tick_at
