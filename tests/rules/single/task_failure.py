"""task_failure: tasks that ended in failure.

A failure is one that no other rule about tasks names better.
"""

from support.rule_cases import (
    Expected,
    clean,
    guilty,
    task,
    web,
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
        "an exception, enriched",
        failing(VALUE_ERROR, **TOLD),
        Expected(
            severity="warning",
            confidence="high",
            count=1,
            suggestion="raised",
            says="ValueError in task shop.tasks.work: no such invoice",
            line=7,
            missing=(),
        ),
    ),
    guilty(
        "an exception, stock",
        failing(VALUE_ERROR),
        Expected(confidence="medium", missing=("hotspan.task.outcome",)),
    ),
    guilty("a timeout", failing(TIMEOUT, **TOLD), Expected(suggestion="transient")),
    guilty("a 503", failing(UNAVAILABLE, **TOLD), Expected(suggestion="transient")),
    guilty(
        "a 404 does not pass",
        failing(
            ("requests.exceptions.HTTPError", "404 Client Error: Not Found for url: /503"), **TOLD
        ),
        Expected(suggestion="raised"),
    ),
    guilty(
        "another exception at its second run",
        failing(VALUE_ERROR, **TOLD, **{"celery.retries": 1}),
        Expected(confidence="high"),
    ),
    guilty("without a state", task(ms=4, error="boom", attributes={"celery.state": None})),
    clean("success", task(ms=40)),
    clean("a retry", task(ms=40, attributes={"celery.state": "RETRY"})),
    clean("ignored", task(ms=40, attributes={"celery.state": "IGNORED"})),
    clean("rejected", task(ms=40, attributes={"celery.state": "REJECTED"})),
    clean("expected", failing(VALUE_ERROR, **TOLD, **{"hotspan.task.expected": True})),
    clean("gave up after its retries", failing(TIMEOUT, **TOLD, **{"celery.retries": 3})),
    clean("gave up after its retries, stock", failing(TIMEOUT, **{"celery.retries": 2})),
    clean("its soft limit", failing(SOFT, **TOLD)),
    clean("its hard limit", failing(VALUE_ERROR, **{"hotspan.task.outcome": "hard_timeout"})),
    clean(
        "revoked",
        task(ms=0, attributes={"celery.state": "REVOKED", "hotspan.task.outcome": "revoked"}),
    ),
    clean("lost", failing(VALUE_ERROR, **{"hotspan.task.outcome": "lost"})),
    clean("a request that failed", web(ms=40, raised=VALUE_ERROR, error="no such invoice")),
]
