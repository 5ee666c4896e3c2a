"""external_call_in_request: calls that a request, or a signal, waits for.

A call is too long for a request from 500 ms or 30 % of it, for a signal from 100 ms.
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

IN_SIGNAL = {"hotspan.client.in_signal": True}
NOT_IN_SIGNAL = {"hotspan.client.in_signal": False}

CASES = [
    guilty(
        "half a second in a request, enriched",
        web(call(ms=500, site=SITE, attributes=NOT_IN_SIGNAL), ms=5000),
        Expected(
            severity="warning",
            confidence="high",
            count=1,
            suggestion="request",
            says="transaction.on_commit",
            line=42,
            missing=(),
            wasted_ms=500,
        ),
    ),
    guilty(
        "half a second in a request, stock",
        web(call(ms=500), ms=5000),
        Expected(confidence="medium", missing=("hotspan.client.in_signal", "code.file.path")),
    ),
    guilty("a third of a short request", web(call(ms=150), ms=450)),
    guilty(
        "one after the other",
        web(*(call(ms=200) for _ in range(3)), ms=3000),
        Expected(count=3, wasted_ms=600),
    ),
    guilty(
        "in a signal of a request",
        web(call(ms=100, attributes=IN_SIGNAL), ms=5000),
        Expected(suggestion="signal"),
    ),
    guilty(
        "in a signal of a task",
        task(call(ms=200, attributes=IN_SIGNAL), ms=5000),
        Expected(suggestion="signal"),
    ),
    guilty("in a signal of a command", command(call(ms=200, attributes=IN_SIGNAL), ms=5000)),
    guilty(
        "a language model",
        web(call("https://api.anthropic.com/v1/messages", ms=4000)),
        Expected(suggestion="model"),
    ),
    clean("in a task", task(call(ms=3000))),
    clean("in a command", command(call(ms=3000))),
    clean("499 ms of a long request", web(call(ms=499), ms=5000)),
    clean("a health check that asks a neighbour", web(call(ms=40), ms=45, name="GET health/")),
    clean("99 ms in a signal", web(call(ms=99, attributes=IN_SIGNAL), ms=5000)),
    clean("side by side", web(*(after(0, call(ms=600)) for _ in range(4)), ms=700)),
    clean("published for later", web(internal(name="apply_async/notify", ms=600), ms=900)),
    clean("a query", web(query("SELECT 1 FROM t", ms=900))),
]
