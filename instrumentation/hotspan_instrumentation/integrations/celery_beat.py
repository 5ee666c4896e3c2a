"""Beat: which entry of the schedule a task was published for, and what was not; nobody says."""

import functools
from types import ModuleType
from typing import Any, Final

from hotspan_instrumentation.celery_schedule import DueEntry, due_entry, missed_runs
from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.settings import current_settings

MODULE: Final = "celery.beat"


def install(module: ModuleType) -> None:
    """Wrap `Scheduler.apply_async`, which every scheduler has from that class."""
    if not current_settings().celery_tasks:
        return
    original = module.Scheduler.apply_async

    @functools.wraps(original)
    def apply_async(self: Any, entry: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - Celery's signature
        note(entry)
        try:
            return original(self, entry, *args, **kwargs)
        finally:
            due_entry.set(None)

    module.Scheduler.apply_async = apply_async


@guarded
def note(entry: Any) -> None:  # noqa: ANN401
    missed = missed_runs(entry.schedule, entry.last_run_at) if entry.last_run_at else 0
    due_entry.set(DueEntry(str(entry.name), missed))
