"""What a Celery message and its task say about one attempt to run it.

Read in the process that runs the task, and in the worker's main process when that one is gone.
"""

import inspect
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from types import CodeType
from typing import Any, Final, Protocol

from opentelemetry.util.types import AttributeValue

# Headers that hotspan adds to a message; the worker of another version may read them.
PUBLISHED_HEADER: Final = "hotspan_published"
SCHEDULE_HEADER: Final = "hotspan_schedule"

SOFT_LIMIT_PASSED: Final = "hotspan.task.soft_limit_passed"
OUTCOME: Final = "hotspan.task.outcome"
SYNTHETIC: Final = "hotspan.synthetic"
SCHEDULE: Final = "hotspan.task.schedule"
SCHEDULE_MISSED: Final = "hotspan.task.schedule_missed"

# Clocks of two hosts differ; a wait below zero by more than this is no measurement.
_CLOCK_SKEW_MS: Final = 1000.0
_NO_LIMIT: Final = -1

_pool: str | None = None


def remember_pool(implementation: type) -> None:
    """Note how this process, and what it forks, runs tasks: prefork, thread, solo, gevent."""
    global _pool  # noqa: PLW0603 - a fact about the process
    _pool = implementation.__module__.rpartition(".")[2]


class Message(Protocol):
    """Celery's `Context`: the headers and properties of a message, by name."""

    def get(self, key: str, default: object = None) -> Any: ...  # noqa: ANN401 - anything sent


def attempt_attributes(
    task: Any,  # noqa: ANN401 - Celery is untyped
    message: Message,
    *,
    started_s: float,
) -> dict[str, AttributeValue]:
    """Return the attributes of one attempt, by a task's definition and its message."""
    delivery = message.get("delivery_info") or {}
    found: dict[str, AttributeValue | None] = {
        "hotspan.task.queue_wait_ms": queue_wait_ms(message, started_s=started_s),
        "hotspan.task.max_retries": _NO_LIMIT if task.max_retries is None else task.max_retries,
        "hotspan.task.retry_policy": retry_policy(task),
        "hotspan.task.root_id": message.get("root_id") or message.get("id"),
        "hotspan.task.parent_id": _parent_id(message),
        "hotspan.task.group_id": message.get("group"),
        "hotspan.task.worker": message.get("hostname"),
        "hotspan.task.pool": _pool,
        "hotspan.task.redelivered": True if delivery.get("redelivered") else None,
        "messaging.destination.name": delivery.get("routing_key"),
        SCHEDULE: message.get(SCHEDULE_HEADER),
        **_time_limits(task, message),
    }
    return {name: value for name, value in found.items() if value is not None}


def queue_wait_ms(message: Message, *, started_s: float) -> float | None:
    """Return how long a message waited, from when it might have run at the earliest."""
    published = message.get(PUBLISHED_HEADER)
    if published is None:
        return None
    earliest_s = float(published)
    eta = message.get("eta")
    if eta:
        earliest_s = max(earliest_s, _timestamp_s(eta))
    wait_ms = (started_s - earliest_s) * 1000
    return max(0.0, round(wait_ms, 3)) if wait_ms > -_CLOCK_SKEW_MS else None


def published_now() -> str:
    """Return the value of the header that says when a message is published."""
    return f"{time.time():.6f}"


def retry_policy(task: Any) -> str:  # noqa: ANN401 - Celery is untyped
    """Return `autoretry`, `manual` where the task's own code calls retry, or `none`."""
    if getattr(task, "autoretry_for", None):
        return "autoretry"
    run = inspect.unwrap(getattr(task, "_orig_run", task.run))
    code = getattr(run, "__code__", None)
    return "manual" if isinstance(code, CodeType) and _names_retry(code) else "none"


@lru_cache(maxsize=1024)
def _names_retry(code: CodeType) -> bool:
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return "retry" in code.co_names or any(_names_retry(each) for each in inner)


def _parent_id(message: Message) -> str | None:
    parent: str | None = message.get("parent_id")
    return None if parent == message.get("id") else parent  # a retry is published by itself


def _time_limits(task: Any, message: Message) -> dict[str, AttributeValue | None]:  # noqa: ANN401
    hard, soft = message.get("timelimit") or (None, None)
    return {
        "hotspan.task.time_limit_s": _seconds(hard or task.time_limit),
        "hotspan.task.soft_time_limit_s": _seconds(soft or task.soft_time_limit),
    }


def _seconds(limit: float | None) -> float | None:
    return None if limit is None else float(limit)


def _timestamp_s(eta: str | datetime) -> float:
    moment = datetime.fromisoformat(eta) if isinstance(eta, str) else eta
    # Celery writes its own with a zone; one without is what a caller gave, in UTC by default.
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def carrier(message: Message) -> Mapping[str, str]:
    """Return the headers by which a trace travels."""
    names = ("traceparent", "tracestate", "baggage", "b3", "uber-trace-id")
    values = {name: message.get(name) for name in names}
    return {name: value for name, value in values.items() if isinstance(value, str)}
