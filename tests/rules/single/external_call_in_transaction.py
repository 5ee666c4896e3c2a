"""external_call_in_transaction: calls made while a transaction is open.

A call inside a transaction is critical, however long it takes.
"""

from support.rule_cases import (
    SITE,
    Expected,
    call,
    clean,
    command,
    guilty,
    query,
    task,
    web,
)

INSIDE = {"hotspan.client.in_transaction": True}
OUTSIDE = {"hotspan.client.in_transaction": False}
SAVEPOINT = query('SAVEPOINT "s1_x1"')
RELEASE = query('RELEASE SAVEPOINT "s1_x1"')
ROLLBACK = query('ROLLBACK TO SAVEPOINT "s1_x1"')

CASES = [
    guilty(
        "a short call, enriched",
        web(call(ms=3, site=SITE, attributes=INSIDE)),
        Expected(
            severity="critical",
            confidence="high",
            count=1,
            suggestion="commit",
            says="transaction.on_commit",
            line=42,
            missing=(),
            wasted_ms=3,
        ),
    ),
    guilty("in a task", task(call(attributes=INSIDE)), Expected(missing=("code.file.path",))),
    guilty("in a command", command(call(attributes=INSIDE))),
    guilty(
        "twice in one place",
        web(call(ms=5, attributes=INSIDE), call(ms=5, attributes=INSIDE)),
        Expected(count=2, wasted_ms=10),
    ),
    guilty(
        "stock, between a savepoint and its release",
        web(SAVEPOINT, call(ms=9), RELEASE),
        Expected(confidence="medium", missing=("hotspan.client.in_transaction", "code.file.path")),
    ),
    guilty("stock, and rolled back", web(SAVEPOINT, call(ms=9), ROLLBACK)),
    clean("outside, enriched", web(call(ms=900, attributes=OUTSIDE))),
    clean("after the commit", web(query("UPDATE t SET a = %s"), call(attributes=OUTSIDE))),
    clean("stock, without savepoints", web(query("UPDATE t SET a = %s"), call(ms=900))),
    clean("stock, after the savepoint's release", web(SAVEPOINT, RELEASE, call(ms=900))),
    clean("stock, before the savepoint", web(call(ms=900), SAVEPOINT, RELEASE)),
    clean(
        "enriched, and the savepoint is another thread's",
        web(SAVEPOINT, call(attributes=OUTSIDE), RELEASE),
    ),
    clean("queries in a transaction", web(SAVEPOINT, query("SELECT 1 FROM t", ms=900), RELEASE)),
]
