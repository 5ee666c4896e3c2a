"""task_without_retry: tasks that call the outside and do not try again.

A task is unprotected when it has no retry policy for what may pass.
"""

from support.rule_cases import (
    SITE,
    Expected,
    call,
    clean,
    guilty,
    query,
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


NO_POLICY = {"hotspan.task.retry_policy": "none", "hotspan.task.max_retries": 3}
AUTORETRY = {"hotspan.task.retry_policy": "autoretry", "hotspan.task.max_retries": 3}
MANUAL = {"hotspan.task.retry_policy": "manual", "hotspan.task.max_retries": 3}

CASES = [
    guilty(
        "calls the outside, enriched",
        task(call(site=SITE), attributes=NO_POLICY),
        Expected(
            severity="info",
            confidence="high",
            count=1,
            suggestion="calls",
            says="autoretry_for",
            line=42,
            missing=(),
            wasted_ms=0,
        ),
    ),
    guilty(
        "has failed so, enriched",
        failing(TIMEOUT, **NO_POLICY, **{"hotspan.task.outcome": "failure"}),
        Expected(
            severity="warning",
            confidence="high",
            suggestion="failed",
            says="autoretry_for=(requests.exceptions.ReadTimeout,)",
            line=7,
        ),
    ),
    guilty(
        "has failed so, stock",
        failing(TIMEOUT),
        Expected(confidence="medium", missing=("hotspan.task.retry_policy",)),
    ),
    guilty("a 503, stock", failing(UNAVAILABLE)),
    guilty("a deadlock, stock", failing(("django.db.utils.OperationalError", "deadlock detected"))),
    guilty("refused, stock", failing(("ConnectionRefusedError", "[Errno 111]"))),
    clean("calls the outside, and retries", task(call(), attributes=AUTORETRY)),
    clean("calls the outside, and retries itself", task(call(), attributes=MANUAL)),
    clean("calls the outside, stock", task(call())),
    clean("asks the database only", task(query("SELECT 1 FROM t"), attributes=NO_POLICY)),
    clean("fails for a reason of its own", failing(VALUE_ERROR, **NO_POLICY)),
    clean("fails for a reason of its own, stock", failing(VALUE_ERROR)),
    clean("no such table", failing(("django.db.utils.OperationalError", "no such table: t"))),
    clean("fails in spite of a policy", failing(TIMEOUT, **AUTORETRY)),
    clean("gave up after its retries, stock", failing(TIMEOUT, **{"celery.retries": 2})),
    clean("a retry", task(ms=4, attributes={"celery.state": "RETRY"})),
    clean("its soft limit", failing(SOFT)),
    clean("a request that calls", web(call())),
]
