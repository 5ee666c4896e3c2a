"""long_transaction: transactions that stay open, or sit idle; waiting for locks.

A transaction is long from one second in a request, five in a task, half a second idle.
"""

from support.rule_cases import (
    SITE,
    Expected,
    clean,
    guilty,
    internal,
    query,
    task,
    web,
)

COMMIT = {"hotspan.tx.outcome": "commit"}
UPDATE = 'UPDATE "stock" SET "quantity" = %s WHERE "stock"."id" = %s'
SELECT = 'SELECT "stock"."id" FROM "stock" WHERE "stock"."id" = %s'


def transaction(*children, ms=None, site=None):
    return internal(*children, name="transaction", ms=ms, attributes={**COMMIT, **(site or {})})


def statements(n, *, ms=10, text=UPDATE):
    return tuple(query(text, ms=ms) for _ in range(n))


CASES = [
    guilty(
        "a second of updates in a request, enriched",
        web(transaction(*statements(100), site=SITE)),
        Expected(
            severity="warning",
            confidence="high",
            count=1,
            suggestion="long",
            says="skip_locked",
            line=42,
            missing=(),
        ),
    ),
    guilty("five seconds in a task", task(transaction(*statements(10, ms=500)))),
    guilty(
        "idle for half a second",
        web(transaction(*statements(2), ms=600)),
        Expected(severity="warning", suggestion="idle", says="580 of 600 ms"),
    ),
    guilty(
        "idle in a task", task(transaction(*statements(2), ms=600)), Expected(suggestion="idle")
    ),
    guilty(
        "it only reads",
        web(transaction(*statements(100, text=SELECT))),
        Expected(severity="info", suggestion="reads"),
    ),
    guilty("five seconds", web(transaction(*statements(500))), Expected(severity="critical")),
    guilty(
        "two from one place",
        web(
            transaction(*statements(2), ms=700, site=SITE),
            transaction(*statements(2), ms=800, site=SITE),
        ),
        Expected(count=2, wasted_ms=1500),
    ),
    guilty(
        "stock: some executions of an UPDATE wait",
        task(*statements(20, ms=1), *statements(3, ms=300)),
        Expected(
            severity="warning",
            confidence="medium",
            suggestion="locks",
            says="skip_locked",
            missing=("hotspan.tx.outcome", "code.file.path"),
        ),
    ),
    clean("0.9 s in a request", web(transaction(*statements(90)))),
    clean("4.9 s in a task", task(transaction(*statements(490)))),
    clean("idle for 0.4 s", web(transaction(*statements(2), ms=420))),
    clean(
        "a long request with short transactions",
        web(*(transaction(*statements(3)) for _ in range(40)), ms=9000),
    ),
    clean("no transaction", web(*statements(200))),
    clean(
        "a SELECT that varies",
        task(*statements(20, ms=1, text=SELECT), *statements(3, ms=300, text=SELECT)),
    ),
    clean("one UPDATE in a hundred was slow", task(*statements(99, ms=1), *statements(1, ms=300))),
    clean("updates that all take long", task(*statements(30, ms=40))),
]
