"""Celery: prefork children end by os._exit, which skips every exit handler and loses spans.

And some are killed: what they have is sent soon after each task, not at the exporter's leisure.
"""

from types import ModuleType
from typing import Final

from hotspan_instrumentation.bookkeeping import mark_process_as_celery
from hotspan_instrumentation.flush import TaskFlusher, flush_spans
from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.settings import current_settings

MODULE: Final = "celery.signals"

_flushers: list[TaskFlusher] = []


def install(module: ModuleType) -> None:
    """Connect to the signals of workers and beat."""
    for signal in (module.celeryd_init, module.worker_init, module.beat_init):
        signal.connect(_process_starts, weak=False)
    module.worker_process_init.connect(_child_starts, weak=False)
    module.task_postrun.connect(_task_ends, weak=False)
    module.worker_process_shutdown.connect(_child_ends, weak=False)


@guarded
def _process_starts(**_: object) -> None:
    mark_process_as_celery()


@guarded
def _child_starts(**_: object) -> None:
    pause_ms = current_settings().task_flush_ms
    if pause_ms:
        _flushers[:] = [TaskFlusher(pause_ms=pause_ms)]


@guarded
def _task_ends(**_: object) -> None:
    for flusher in _flushers:  # one in a prefork child, none elsewhere
        flusher.request()


@guarded
def _child_ends(**_: object) -> None:
    flush_spans()
