"""billiard, Celery's pool: a soft time limit that a task catches leaves no trace by itself."""

import functools
from types import ModuleType
from typing import Any, Final

from hotspan_instrumentation.celery_attributes import SOFT_LIMIT_PASSED
from hotspan_instrumentation.entry import current_entry
from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.settings import current_settings

MODULE: Final = "billiard.pool"


def install(module: ModuleType) -> None:
    """Wrap the handler of the signal by which the limit is told to a child."""
    if not current_settings().celery_tasks:
        return
    original = module.soft_timeout_sighandler

    @functools.wraps(original)
    def handle(signum: Any, frame: Any) -> Any:  # noqa: ANN401 - a signal handler's signature
        _mark()
        return original(signum, frame)

    module.soft_timeout_sighandler = handle  # type: ignore[attr-defined]  # likewise


@guarded
def _mark() -> None:
    entry = current_entry()
    if entry is not None:
        entry.mark(SOFT_LIMIT_PASSED)
