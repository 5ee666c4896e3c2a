"""Beat: which entry of the schedule a task was published for; the message does not say."""

import functools
from types import ModuleType
from typing import Any, Final

from hotspan_instrumentation.celery_spans import due_entry
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
    due_entry.set(str(entry.name))
