"""near_timeout: calls that ended by timeout, or came close.

A call is near its timeout when it took 80 % of it, or ended by it.
"""

from support.rule_cases import (
    SITE,
    Expected,
    call,
    clean,
    guilty,
    task,
    web,
)

FIVE = {"hotspan.client.timeout_s": 5.0}
READ_TIMEOUT = ("requests.exceptions.ReadTimeout", "Read timed out. (read timeout=5.0)")
REFUSED = ("requests.exceptions.ConnectionError", "Connection refused")

CASES = [
    guilty(
        "ended by its timeout, enriched",
        task(call(ms=5001, site=SITE, attributes=FIVE, raised=READ_TIMEOUT)),
        Expected(
            severity="warning",
            confidence="high",
            count=1,
            suggestion="timed_out",
            says="a timeout of 5 s",
            line=42,
            missing=(),
            wasted_ms=5001,
        ),
    ),
    guilty(
        "ended by its timeout, stock: the message tells it",
        web(call(ms=5001, raised=READ_TIMEOUT)),
        Expected(confidence="medium", says="a timeout of 5 s", missing=("code.file.path",)),
    ),
    guilty("httpx", web(call(ms=900, raised=("httpx.ReadTimeout", "")))),
    guilty("urllib", web(call(ms=900, raised=("TimeoutError", "timed out")))),
    guilty(
        "gRPC",
        web(
            call(
                "",
                ms=900,
                method="",
                attributes={
                    "rpc.system": "grpc",
                    "rpc.grpc.status_code": 4,
                    "server.address": "prices",
                },
            )
        ),
    ),
    guilty(
        "80 % of it",
        web(call(ms=4000, attributes=FIVE)),
        Expected(severity="info", suggestion="near"),
    ),
    guilty(
        "one timed out, one came close",
        web(call(ms=4500, attributes=FIVE), call(ms=5001, attributes=FIVE, raised=READ_TIMEOUT)),
        Expected(severity="warning", count=2, says="1 ended by timeout"),
    ),
    clean("79 % of it", web(call(ms=3950, attributes=FIVE))),
    clean("no timeout at all", web(call(ms=9000, attributes={"hotspan.client.timeout_s": -1.0}))),
    clean("stock, long, and answered", web(call(ms=9000))),
    clean("refused", web(call(ms=3, raised=REFUSED, attributes=FIVE))),
    clean("the other side timed out (504)", web(call(ms=900, status=504, attributes=FIVE))),
    clean(
        "a soft time limit of a task is not the call's",
        task(
            call(
                ms=900,
                raised=("billiard.exceptions.SoftTimeLimitExceeded", "SoftTimeLimitExceeded()"),
            )
        ),
    ),
]
