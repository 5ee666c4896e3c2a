"""Beat's schedule: the entry that a task is published for, and the runs that did not come."""

import contextvars
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

# Beat may have been away for months, and a schedule be of every minute.
MAX_MISSED_RUNS: Final = 100


@dataclass(frozen=True, slots=True)
class DueEntry:
    """An entry of the schedule that beat is publishing, and how many of its runs were missed."""

    name: str
    missed_runs: int


due_entry: contextvars.ContextVar[DueEntry | None] = contextvars.ContextVar(
    "hotspan_due_entry", default=None
)


def missed_runs(schedule: Any, last_run_at: datetime) -> int:  # noqa: ANN401 - Celery is untyped
    """Return how many runs were due since the last one and before the one that is due now.

    At most `MAX_MISSED_RUNS`; 0 for schedules that are neither an interval nor a crontab.
    """
    if not (hasattr(schedule, "remaining_delta") or hasattr(schedule, "run_every")):
        return 0
    now = schedule.maybe_make_aware(schedule.now())
    due = _next_run(schedule, schedule.maybe_make_aware(last_run_at))
    missed = 0
    while due is not None and missed < MAX_MISSED_RUNS:
        due = _next_run(schedule, due)
        if due is None or due > now:
            break
        missed += 1
    return missed


def _next_run(schedule: Any, last_run_at: datetime) -> datetime | None:  # noqa: ANN401 - likewise
    following: datetime | None = None
    if hasattr(schedule, "remaining_delta"):  # a crontab
        last, delta, _ = schedule.remaining_delta(last_run_at)
        following = last + delta
    elif getattr(schedule, "run_every", None):
        following = last_run_at + schedule.run_every
    return following
