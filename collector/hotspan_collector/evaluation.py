"""The evaluator's thread: tick after tick, and now and then what looks further back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog

from hotspan_collector.alerts.outbox import announce, announce_missed
from hotspan_collector.errors import LeaseLostError, StoreUnavailableError
from hotspan_collector.rules import canary
from hotspan_collector.rules.evaluator import Evaluator, Timing
from hotspan_collector.rules.fixes import Fixes
from hotspan_collector.rules.pins import pin_evidence
from hotspan_collector.rules.rule_runs import CANARY, MeasuredDatabase, RuleRuns, count_entries
from hotspan_collector.rules.touched import Bounds
from hotspan_collector.rules.trials import Trials
from hotspan_collector.rules.windows import longest_window_ms
from hotspan_collector.store import retention_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hotspan_collector.database import Database
    from hotspan_collector.health import EvaluatorHealth
    from hotspan_collector.rules.evaluator import TickReport
    from hotspan_collector.rules.rule import Kind, Rule
    from hotspan_collector.rules.rulebook import Rulebook
    from hotspan_collector.rules.violation import Change
    from hotspan_collector.settings import Settings

__all__ = ["Evaluation", "pause_s"]

_LOG = structlog.get_logger(__name__)
_VISIBILITY_SLACK_MS = 1_000
_TELL_UNAVAILABLE_EVERY_S = 60
_DAY_MS = 86_400_000
_PIN_EVERY_S = 600.0
_LONGEST_PAUSE = 3


def pause_s(every_s: float, *, took_s: float) -> float:
    """Return how long to wait after a tick that took so long.

    Much of what a tick costs comes before its first span: when much is stored, fewer and larger
    ticks leave the cores to those who store it.
    """
    return min(max(every_s, took_s), _LONGEST_PAUSE * every_s)


class Evaluation:
    """Makes the evaluator, and makes it anew after a failure or when rules have changed."""

    def __init__(
        self,
        database: Database,
        *,
        rulebook: Rulebook,
        settings: Settings,
        health: EvaluatorHealth,
    ) -> None:
        """Prepare; nothing is done before `run`.

        Args:
            database: holds everything.
            rulebook: knows the rules.
            settings: of the collector.
            health: is told how it goes.

        """
        self._database = MeasuredDatabase(database)
        self._rulebook = rulebook
        self._settings = settings
        self._health = health
        self._runs = RuleRuns()
        self.trials = Trials()
        """Rules that wait to be tried over stored history."""
        self._evaluator: Evaluator | None = None
        self._fixes: Fixes | None = None
        self._look_back_due_at = 0.0
        self._canary_due_at = 0.0
        self._unavailable_told_until = 0.0
        self._pin_due_at = 0.0

    def run(self) -> None:
        """Do one tick."""
        try:
            if self._rulebook.refresh(self._database) or self._evaluator is None:
                self._evaluator, self._fixes = self._create()
            self._tick(self._evaluator)
            if self.trials.waiting:
                self.trials.step(self._evaluator, self._database)
                self._database.take_durations()
        except LeaseLostError as error:
            _LOG.warning("evaluation_given_up", reason=str(error))
            self.start_anew()
        except StoreUnavailableError as error:
            self._wait_for_store(error)
        except Exception as error:  # noqa: BLE001 (a mistake of ours must not end the receivers)
            _LOG.exception("tick_failed")
            self._health.note_failure(error)
            self._evaluator = None

    def _wait_for_store(self, error: StoreUnavailableError) -> None:
        """Say what is wrong, now and then: a store that is down may be so for hours."""
        if time.monotonic() >= self._unavailable_told_until:
            self._unavailable_told_until = time.monotonic() + _TELL_UNAVAILABLE_EVERY_S
            _LOG.error("tick_failed", reason=str(error).partition("\n")[0])
        self._health.note_failure(error)
        self._evaluator = None

    def start_anew(self) -> None:
        """Forget what is known in memory: another process may have evaluated meanwhile."""
        self._evaluator = None

    def _tick(self, evaluator: Evaluator) -> None:
        changes = list(evaluator.apply_actions())
        report = evaluator.tick()
        changes += report.changes
        self._note_tick(evaluator, report)
        if time.monotonic() >= self._look_back_due_at:
            self._look_back_due_at = time.monotonic() + self._settings.windows_every_s
            changes += self._look_back(evaluator)
        self._announce(changes)
        self._health.note(report)

    def _note_tick(self, evaluator: Evaluator, report: TickReport) -> None:
        if not report.entries:
            return
        now_ms = evaluator.now_ms()
        # What all rules read is no rule, and what fails there fails for all of them.
        shared = {
            name: why for name, why in report.failed_rules.items() if name not in self._rules()
        }
        why = next(iter(shared.values()), "")
        blind = dict.fromkeys(self._rules("structural"), why) if why else {}
        failed = {**blind, **report.failed_rules}
        self._note(self._rules("structural"), failed, entries=report.entries, now_ms=now_ms)
        if report.failed_rules and self._fixes is not None:
            self._fixes.note_failed(report.failed_rules, now_ms=now_ms)

    def _look_back(self, evaluator: Evaluator) -> Sequence[Change]:
        """Do what is done now and then: rules over windows, proofs, and who has fallen silent."""
        now_ms = evaluator.now_ms()
        changes, failed = evaluator.run_windows()
        self._health.failed_windows = failed
        since_ms = {
            rule.id: now_ms - longest_window_ms(rule) for rule in self._rules("window").values()
        }
        entries = count_entries(self._database, since_ms=set(since_ms.values()))
        for rule_id, since in since_ms.items():
            self._note([rule_id], failed, entries=entries[since], now_ms=now_ms)
        self._look_for_canary(evaluator, now_ms=now_ms)
        self._pin_evidence(now_ms=now_ms)
        self._runs.write(self._database, now_ms=now_ms)
        silence_ms = int(self._settings.quiet_after_s * 1000)
        return [
            *changes,
            *evaluator.find_silent(quiet_after_ms=silence_ms),
            *(self._fixes.find(now_ms=now_ms) if self._fixes else ()),
        ]

    def _pin_evidence(self, *, now_ms: int) -> None:
        if time.monotonic() < self._pin_due_at:
            return
        self._pin_due_at = time.monotonic() + _PIN_EVERY_S
        days = retention_of(self._settings).shortest_days
        pinned = pin_evidence(
            self._database,
            # While half of their time is left: traces go when the first of their services does.
            before_ms=now_ms - days * _DAY_MS // 2,
            most_spans=self._settings.pinned_trace_spans,
        )
        if pinned:
            _LOG.info("evidence_pinned", findings=pinned)

    def _look_for_canary(self, evaluator: Evaluator, *, now_ms: int) -> None:
        rule = self._rules().get(canary.RULE)
        if rule is None or time.monotonic() < self._canary_due_at:
            return
        self._canary_due_at = time.monotonic() + self._settings.canary_every_s
        why = canary.why_not_found(evaluator, self._database, rule)
        self._database.take_durations()
        if why:
            _LOG.error("canary_not_found", reason=why)
        self._health.canary_error = why
        self._runs.note(
            [CANARY], entries=1, took_ms={}, failed={CANARY: why} if why else {}, now_ms=now_ms
        )

    def _note(
        self,
        rules: Sequence[str] | Mapping[str, Rule],
        failed: Mapping[str, str],
        *,
        entries: int,
        now_ms: int,
    ) -> None:
        self._runs.note(
            rules,
            entries=entries,
            took_ms=self._database.take_durations(only=rules),
            failed=failed,
            now_ms=now_ms,
        )

    def _rules(self, kind: Kind | None = None) -> dict[str, Rule]:
        rules = self._rulebook.catalogue.rules
        return {name: rule for name, rule in rules.items() if kind in {None, rule.kind}}

    def _announce(self, changes: Sequence[Change]) -> None:
        if changes and self._settings.alert_webhook_url:
            announce(
                self._database,
                catalogue=self._rulebook.catalogue,
                changes=changes,
                ui_url=self._settings.ui_url,
            )

    def _create(self) -> tuple[Evaluator, Fixes]:
        settings, catalogue = self._settings, self._rulebook.catalogue
        if settings.alert_webhook_url:
            announce_missed(self._database, catalogue=catalogue, ui_url=settings.ui_url)
        evaluator = Evaluator(
            self._database,
            catalogue=catalogue,
            timing=Timing(
                settle_ms=int(settings.settle_s * 1000),
                settle_incomplete_ms=int(settings.settle_incomplete_s * 1000),
                look_back_ms=int(settings.insert_timeout_s * 1000) + _VISIBILITY_SLACK_MS,
            ),
            open_after_hits=settings.open_after_hits,
            rollback_after_ms=int(settings.rollback_after_s * 1000),
            bounds=Bounds(
                part_spans=settings.evaluate_part_spans, long_trace_spans=settings.long_trace_spans
            ),
        )
        fixes = Fixes(
            self._database,
            catalogue=catalogue,
            min_entries=settings.verify_min_entries,
            now_ms=evaluator.now_ms(),
        )
        return evaluator, fixes
