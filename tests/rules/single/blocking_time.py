"""blocking_time: time that nothing accounts for.

Time without calls counts from 300 ms that are half of the entry.
"""

from support.rule_cases import (
    SITE,
    Expected,
    after,
    call,
    clean,
    command,
    guilty,
    internal,
    query,
    task,
    web,
)

SELECT = 'SELECT "t"."id" FROM "t"'


def cpu(ms):
    return {"hotspan.cpu_ms": float(ms)}


CASES = [
    guilty(
        "a sleep between two statements, enriched",
        web(
            query(SELECT, ms=10, site=SITE),
            query(SELECT, ms=10, at=2010),
            ms=2030,
            attributes=cpu(12),
        ),
        Expected(
            severity="warning",
            confidence="high",
            count=1,
            suggestion="waiting",
            says="between SELECT (/app/shop/views.py:42) and SELECT",
            line=42,
            missing=(),
            wasted_ms=2010,
        ),
    ),
    guilty(
        "a sleep, stock",
        web(ms=2000),
        Expected(
            severity="warning",
            confidence="medium",
            suggestion="unknown",
            missing=("hotspan.cpu_ms",),
        ),
    ),
    guilty(
        "short sleeps, one after the other",
        web(*(query(SELECT, at=100 * number) for number in range(10)), attributes=cpu(20)),
        Expected(suggestion="waiting"),
    ),
    guilty(
        "computing",
        web(query(SELECT), ms=900, attributes=cpu(850)),
        Expected(severity="info", suggestion="computing", says="profile"),
    ),
    guilty(
        "a middleware before the first call",
        web(query(SELECT, at=400), ms=402),
        Expected(says="before SELECT"),
    ),
    guilty("at the end", web(query(SELECT), ms=402), Expected(says="after SELECT")),
    guilty(
        "a task that sleeps",
        task(query(SELECT), ms=3000, attributes=cpu(5)),
        Expected(severity="warning", suggestion="waiting_task"),
    ),
    guilty(
        "a transaction around it explains nothing",
        web(internal(query(SELECT), name="transaction", ms=800), ms=810),
    ),
    guilty("a lock that holds half of the request", web(query(SELECT, ms=300), ms=600)),
    guilty(
        "a sleep between many queries",
        web(
            *(query(SELECT, ms=1, at=4 * number) for number in range(200)),
            query(SELECT, at=2800),
        ),
        Expected(wasted_ms=2601),
    ),
    guilty(
        "a sleep on a busy machine",
        web(query(SELECT, at=800), ms=810, attributes=cpu(90) | {"hotspan.run_delay_ms": 250.0}),
        Expected(suggestion="waiting", wasted_ms=559),
    ),
    clean(
        "waiting for a core",
        web(query(SELECT, at=800), ms=810, attributes=cpu(90) | {"hotspan.run_delay_ms": 600.0}),
    ),
    clean(
        "a little of computing, and a little of waiting for a core",
        web(query(SELECT, at=370), ms=380, attributes=cpu(165)),
    ),
    clean(
        "a stream of events",
        web(
            query(SELECT),
            query(SELECT, at=30_000),
            ms=60_000,
            attributes={"http.response.header.content-type": ["text/event-stream"]},
        ),
    ),
    clean("299 ms", web(ms=299)),
    clean("less than half", web(query(SELECT, ms=601), ms=1200)),
    clean("all of it in the database", web(*(query(SELECT, ms=100) for _ in range(10)))),
    clean("a call that takes it all", web(call(ms=5000))),
    clean("calls side by side", web(*(after(0, call(ms=700)) for _ in range(4)), ms=720)),
    clean(
        "many queries, and what it costs in Python to make them",
        web(*(query(SELECT, ms=1, at=4 * number) for number in range(200))),
    ),
    clean(
        "waiting for a core between a few statements",
        web(*(query(SELECT, at=70 * number) for number in range(14)), attributes=cpu(250)),
    ),
    clean("a killed task", task(ms=9000, attributes={"hotspan.synthetic": True})),
    clean("a websocket", web(ms=600_000, attributes={"http.request.method": None})),
    clean("a command that polls", command(query(SELECT), ms=60_000)),
    clean(
        "its spans were dropped, its counters were not",
        web(
            ms=900,
            attributes={"hotspan.spans_dropped": 400, "hotspan.db.time_ms": 800.0},
        ),
    ),
    clean(
        "another service's entry below a call",
        web(call(ms=900, children=(web(query(SELECT, ms=700), ms=800, name="GET prices/"),))),
    ),
    clean("a small share of a long task", task(call(ms=20_000), ms=30_000)),
]
