"""task_retries_exhausted: tasks that gave up after their retries.

A task has given up when it failed at its last retry.
"""

from support.rule_cases import (
    Expected,
    clean,
    guilty,
    task,
)

FAILED = {"celery.state": "FAILURE"}
TOLD = {"hotspan.task.outcome": "failure", "hotspan.task.max_retries": 3}
VALUE_ERROR = ("ValueError", "no such invoice")
TIMEOUT = ("requests.exceptions.ReadTimeout", "Read timed out.")
UNAVAILABLE = (
    "requests.exceptions.HTTPError",
    "503 Server Error: Service Unavailable for url: http://a.example/orders/1",
)
SOFT = ("billiard.exceptions.SoftTimeLimitExceeded", "SoftTimeLimitExceeded()")


def failing(raised, **attributes):
    return task(ms=40, raised=raised, error=raised[1], attributes={**FAILED, **attributes})


CASES = [
    guilty(
        "at its last retry, enriched",
        failing(TIMEOUT, **TOLD, **{"celery.retries": 3}),
        Expected(
            severity="critical",
            confidence="high",
            count=1,
            suggestion="longer",
            says="gave up after 3 retries",
            line=7,
            missing=(),
        ),
    ),
    guilty(
        "after two retries, stock",
        failing(TIMEOUT, **{"celery.retries": 2}),
        Expected(confidence="medium", missing=("hotspan.task.max_retries", "hotspan.task.outcome")),
    ),
    guilty(
        "what does not pass by trying again",
        failing(VALUE_ERROR, **TOLD, **{"celery.retries": 3}),
        Expected(suggestion="mend"),
    ),
    guilty(
        "Celery says so",
        failing(("celery.exceptions.MaxRetriesExceededError", "Can't retry"), **TOLD),
    ),
    clean("at its first run", failing(TIMEOUT, **TOLD)),
    clean("before its last retry", failing(VALUE_ERROR, **TOLD, **{"celery.retries": 1})),
    clean(
        "retries without end",
        failing(VALUE_ERROR, **{**TOLD, "hotspan.task.max_retries": -1, "celery.retries": 9}),
    ),
    clean("success at its last retry", task(ms=4, attributes={"celery.retries": 3})),
    clean("a retry", task(ms=4, attributes={"celery.state": "RETRY", "celery.retries": 2})),
    clean(
        "expected",
        failing(VALUE_ERROR, **TOLD, **{"hotspan.task.expected": True, "celery.retries": 3}),
    ),
    clean("its soft limit at the last run", failing(SOFT, **TOLD, **{"celery.retries": 3})),
    clean(
        "lost at the last run",
        failing(VALUE_ERROR, **{"hotspan.task.outcome": "lost", "celery.retries": 3}),
    ),
]
