"""Celery's tasks: when they are published, and how they end in the process that runs them.

The stock spans have no publishing time, call a retry a success without a cause, and an exception
that the task declares as expected an error.
"""

from collections.abc import MutableMapping
from types import ModuleType
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.trace import StatusCode

from hotspan_instrumentation.celery_attributes import (
    OUTCOME,
    PUBLISHED_HEADER,
    SCHEDULE_HEADER,
    published_now,
    remember_pool,
)
from hotspan_instrumentation.celery_endings import end_unknown
from hotspan_instrumentation.celery_schedule import due_entry
from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.settings import current_settings

MODULE: Final = "celery.signals"

_OUTCOMES: Final = {
    "SUCCESS": "success",
    "FAILURE": "failure",
    "RETRY": "retry",
    "REJECTED": "rejected",
    "IGNORED": "ignored",
}
_SOFT_LIMIT: Final = "SoftTimeLimitExceeded"


def install(module: ModuleType) -> None:
    """Connect to the signals of publishing and of a task's end, ahead of the stock receivers."""
    if not current_settings().celery_tasks:
        return
    module.before_task_publish.connect(_published, weak=False)
    module.task_failure.connect(_failed, weak=False)
    module.task_retry.connect(_retried, weak=False)
    module.task_postrun.connect(_ended, weak=False)
    module.task_unknown.connect(_unknown, weak=False)
    module.celeryd_after_setup.connect(_worker_set_up, weak=False)


@guarded
def _published(headers: MutableMapping[str, object] | None = None, **_: object) -> None:
    if not headers:  # the first version of the message protocol has none
        return
    headers[PUBLISHED_HEADER] = published_now()
    entry = due_entry.get()
    if entry is not None:
        headers[SCHEDULE_HEADER] = entry.name


@guarded
def _failed(sender: Any = None, exception: BaseException | None = None, **_: object) -> None:  # noqa: ANN401
    expected = tuple(getattr(sender, "throws", None) or ())
    if expected and isinstance(exception, expected):
        span = trace.get_current_span()
        span.set_attribute("hotspan.task.expected", True)
        # A status of OK is final: the stock receiver comes later and would say ERROR.
        span.set_status(StatusCode.OK)


@guarded
def _retried(reason: Any = None, **_: object) -> None:  # noqa: ANN401
    cause = getattr(reason, "exc", None)
    if isinstance(cause, BaseException):
        trace.get_current_span().record_exception(cause)


@guarded
def _ended(state: str | None = None, retval: object = None, **_: object) -> None:
    outcome = _OUTCOMES.get(state or "")
    if outcome == "failure" and type(retval).__name__ == _SOFT_LIMIT:
        outcome = "soft_timeout"
    if outcome is not None:
        trace.get_current_span().set_attribute(OUTCOME, outcome)


@guarded
def _unknown(
    message: Any = None,  # noqa: ANN401
    name: str = "",
    exc: BaseException | None = None,
    **_: object,
) -> None:
    if message is not None and message.headers:
        end_unknown(message, name=name, error=exc)


@guarded
def _worker_set_up(instance: Any = None, **_: object) -> None:  # noqa: ANN401
    remember_pool(instance.pool_cls)
