"""What the worker's main process learns of a task whose child is gone, or that never ran.

Each wrapper calls Celery's own method first and whatever happens: an error here once kept Celery
from handling a time-out at all.
"""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from hotspan_instrumentation.celery_endings import end_attempt
from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.settings import current_settings

MODULE: Final = "celery.worker.request"

# Raised by the pool in the place of a child that ended without an answer.
_LOST: Final = frozenset({"WorkerLostError", "SystemExit", "KeyboardInterrupt"})


def install(module: ModuleType) -> None:
    """Wrap what a `Request` is told by the pool and by revocations."""
    if not current_settings().celery_tasks:
        return
    request = module.Request
    _call_after(request, "on_timeout", guarded(_timed_out))
    _call_after(request, "on_failure", guarded(_failed))
    _call_after(request, "_announce_revoked", guarded(_revoked))
    if hasattr(request, "_success_was_stored"):  # Celery 5.7
        _note_success(request)


def _call_after(owner: Any, name: str, hook: Callable[..., None]) -> None:  # noqa: ANN401
    original = getattr(owner, name)

    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - Celery's own signature
        try:
            return original(self, *args, **kwargs)
        finally:
            hook(self, *args, **kwargs)

    setattr(owner, name, call)


def _note_success(owner: Any) -> None:  # noqa: ANN401
    original = owner._success_was_stored  # noqa: SLF001 - its only name

    @functools.wraps(original)
    def stored(self: Any) -> Any:  # noqa: ANN401
        found = original(self)
        self.__dict__["hotspan_succeeded"] = bool(found)
        return found

    owner._success_was_stored = stored  # noqa: SLF001


def _timed_out(request: Any, soft: bool, timeout: float) -> None:  # noqa: ANN401, FBT001 - Celery's
    if soft:
        return
    # Celery ends what is left at a cold shutdown by this way too: no limit was passed then.
    from celery.worker import state  # noqa: PLC0415 - only in a worker

    if state.should_terminate:
        end_attempt(request, "lost")
        return
    from billiard.exceptions import TimeLimitExceeded  # noqa: PLC0415

    end_attempt(request, "hard_timeout", error=TimeLimitExceeded(timeout))


def _failed(request: Any, exc_info: Any, *_: object, **__: object) -> None:  # noqa: ANN401
    error = exc_info.exception
    error = getattr(error, "exc", error)  # billiard's ExceptionWithTraceback
    if type(error).__name__ not in _LOST or request.__dict__.get("hotspan_succeeded"):
        return
    # Killed by the worker itself, and said so; or given back to the broker, to run again.
    if request._already_revoked or request._already_cancelled:  # noqa: SLF001
        return
    end_attempt(request, "lost", error=error)


def _revoked(
    request: Any,  # noqa: ANN401
    reason: str,
    terminated: bool,  # noqa: FBT001
    signum: object,
    expired: bool,  # noqa: FBT001
) -> None:
    del reason, terminated, signum
    end_attempt(request, "expired" if expired else "revoked")
