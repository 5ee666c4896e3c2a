"""How the collector is, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotspan_ui.views import text
from hotspan_ui.views.fact import Fact

if TYPE_CHECKING:
    from datetime import datetime

    from hotspan_ui.models import Status


def line(status: Status) -> tuple[str, ...]:
    """Return the state in two or three short parts."""
    parts = [lag(status.evaluator_lag_s), f"{text.compact(status.spans_stored)} spans stored"]
    if status.evaluator_pending_entries:
        parts.append(f"{text.compact(status.evaluator_pending_entries)} entries waiting")
    failing = len(status.failing_rules)
    if failing:
        parts.append(f"{failing} {'rule fails' if failing == 1 else 'rules fail'}: see Status")
    return tuple(parts)


def set_aside(status: Status) -> str:
    """Say which traces could not be evaluated; empty when all could."""
    if not status.traces_set_aside:
        return ""
    traces = "; ".join(f"{trace}: {why}" for trace, why in status.traces_set_aside.items())
    return (
        "Traces that could not be evaluated, and are tried again when more of their spans come. "
        f"{traces}"
    )


def lag(seconds: float | None) -> str:
    """How far the evaluation of rules is behind."""
    if seconds is None:
        return "Nothing evaluated yet"
    return f"Evaluated up to {text.duration(seconds * 1000)} ago"


def facts(status: Status, *, now: datetime) -> tuple[Fact, ...]:
    """Return the state in full."""
    last = status.last_evaluated_entry
    seconds = status.evaluator_lag_s
    return (
        Fact(
            "Evaluator lag",
            text.NOTHING if seconds is None else text.duration(seconds * 1000),
            f"{text.count(status.evaluator_pending_entries)} entries waiting",
        ),
        Fact(
            "Last entry evaluated",
            text.ago(last, now=now) if last else text.NOTHING,
            text.moment(last) if last else "none yet",
        ),
        Fact("Spans stored", text.compact(status.spans_stored), text.count(status.spans_stored)),
        Fact(
            "Spans rejected",
            text.compact(status.spans_rejected),
            "the collector's log says why" if status.spans_rejected else "none",
        ),
        Fact("Alerts waiting", text.count(status.alerts_pending), "to be delivered"),
    )
