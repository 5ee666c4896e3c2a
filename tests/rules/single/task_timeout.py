"""task_timeout: tasks that ran into their time limits.

A task has timed out when a limit ended it, or should have.
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


LIMITS = {"celery.timelimit": [5, 1]}
HARD_ONLY = {"celery.timelimit": ["2", ""]}

CASES = [
    guilty(
        "its soft limit, enriched",
        failing(SOFT, **LIMITS, **{"hotspan.task.outcome": "soft_timeout"}),
        Expected(
            severity="critical",
            confidence="high",
            count=1,
            suggestion="soft",
            says="soft_time_limit of 1 s",
            missing=(),
        ),
    ),
    guilty(
        "its soft limit, stock",
        failing(SOFT, **LIMITS),
        Expected(confidence="high", suggestion="soft", missing=("hotspan.task.outcome",)),
    ),
    guilty(
        "its hard limit, told by the main process",
        failing(
            ("billiard.exceptions.TimeLimitExceeded", "TimeLimitExceeded(60.0,)"),
            **{
                "hotspan.task.outcome": "hard_timeout",
                "hotspan.synthetic": True,
                "hotspan.task.time_limit_s": 60.0,
            },
        ),
        Expected(confidence="high", suggestion="hard", says="time_limit of 60 s"),
    ),
    guilty(
        "its hard limit, stock: a span without a state, as long as the limit",
        task(ms=1990, attributes={"celery.state": None, **HARD_ONLY}),
        Expected(confidence="medium", suggestion="hard", says="time_limit of 2 s"),
    ),
    guilty(
        "longer than a limit that its pool ignores",
        task(ms=10_000, attributes=LIMITS),
        Expected(confidence="medium", suggestion="ignored", says="1 s"),
    ),
    guilty("longer than its hard limit", task(ms=3000, attributes=HARD_ONLY)),
    guilty(
        "a limit of minutes",
        task(ms=400_000, attributes={"celery.timelimit": [300, 180]}),
        Expected(says="180 s"),
    ),
    guilty(
        "its soft limit, caught",
        task(
            ms=1300,
            attributes={
                "hotspan.task.outcome": "success",
                "hotspan.task.soft_limit_passed": True,
                "hotspan.task.soft_time_limit_s": 1.0,
            },
        ),
        Expected(
            severity="warning",
            confidence="high",
            suggestion="caught",
            says="caught its soft limit and ended after 1.3 s, its limit is 1 s",
            missing=(),
        ),
    ),
    guilty(
        "its soft limit, raised as an exception of its own",
        failing(
            ("shop.tasks.ReportError", "not ready in time"),
            **{"hotspan.task.outcome": "failure", "hotspan.task.soft_limit_passed": True},
        ),
        Expected(severity="critical", suggestion="soft"),
    ),
    guilty(
        "a limit that only the instrumentation tells, in a pool that ignores it",
        task(
            ms=9000,
            attributes={"hotspan.task.outcome": "success", "hotspan.task.time_limit_s": 5.0},
        ),
        Expected(suggestion="ignored", says="5 s"),
    ),
    clean("within its limits", task(ms=900, attributes=LIMITS)),
    clean("cleaning up at its soft limit", task(ms=1050, attributes=LIMITS)),
    clean("no limits", task(ms=900_000)),
    clean("a failure", failing(VALUE_ERROR, **LIMITS)),
    clean("a call's timeout", failing(TIMEOUT, **LIMITS)),
    clean(
        "a span without a state, and without a limit",
        task(ms=9000, attributes={"celery.state": None}),
    ),
    clean(
        "the child's own span, for which the main process makes one",
        task(
            ms=1990, attributes={"celery.state": None, "hotspan.task.max_retries": 3, **HARD_ONLY}
        ),
    ),
    clean(
        "a soft limit that is tried again",
        task(ms=1000, attributes={"celery.state": "RETRY", **LIMITS}),
    ),
    clean(
        "a soft limit that it passed, and is tried again",
        task(
            ms=1000,
            attributes={
                "celery.state": "RETRY",
                "hotspan.task.outcome": "retry",
                "hotspan.task.soft_limit_passed": True,
            },
        ),
    ),
    clean(
        "revoked",
        task(
            ms=9000,
            attributes={"celery.state": "REVOKED", "hotspan.task.outcome": "revoked", **LIMITS},
        ),
    ),
]
