"""Celery: prefork children end by os._exit, which skips every exit handler and loses spans."""

from types import ModuleType
from typing import Final

from hotspan_instrumentation.bookkeeping import mark_process_as_celery
from hotspan_instrumentation.flush import flush_spans
from hotspan_instrumentation.guard import guarded

MODULE: Final = "celery.signals"


def install(module: ModuleType) -> None:
    """Connect to the signals of workers and beat."""
    for signal in (module.celeryd_init, module.worker_init, module.beat_init):
        signal.connect(_process_starts, weak=False)
    module.worker_process_shutdown.connect(_child_ends, weak=False)


@guarded
def _process_starts(**_: object) -> None:
    mark_process_as_celery()


@guarded
def _child_ends(**_: object) -> None:
    flush_spans()
