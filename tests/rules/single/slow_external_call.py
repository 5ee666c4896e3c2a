"""slow_external_call: calls to the outside that dominate.

A call dominates from a second, or from 300 ms that are 30 % of its entry.
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

MODEL = "https://api.openai.com/v1/chat/completions"

CASES = [
    guilty(
        "a second in a request, enriched",
        web(call(ms=1000, site=SITE, attributes={"hotspan.client.timeout_s": 10.0}), ms=9000),
        Expected(
            severity="warning",
            confidence="high",
            count=1,
            suggestion="web",
            says="Its timeout is 10 s",
            line=42,
            missing=(),
            wasted_ms=1000,
        ),
    ),
    guilty(
        "a second in a request, stock",
        web(call(ms=1000), ms=9000),
        Expected(confidence="medium", missing=("code.file.path", "hotspan.client.timeout_s")),
    ),
    guilty("a third of the request", web(call(ms=300), ms=1000), Expected(severity="info")),
    guilty("five seconds", web(call(ms=5000)), Expected(severity="critical")),
    guilty("in a task", task(call(ms=1200)), Expected(suggestion="task")),
    guilty("a language model", web(call(MODEL, ms=1200)), Expected(suggestion="model")),
    guilty(
        "ids in the path are one target",
        web(call("https://a.example/v1/1", ms=1200), call("https://a.example/v1/2", ms=1100)),
        Expected(count=2, says="a.example/v1/{id}"),
    ),
    guilty(
        "a library that calls by another is one call",
        web(
            call(
                ms=1500,
                method="",
                attributes={"rpc.system": "aws-api", "rpc.method": "PutObject"},
                children=(call(ms=1400),),
            )
        ),
        Expected(count=1, wasted_ms=1500),
    ),
    guilty(
        "gRPC",
        web(
            call(
                "",
                ms=1500,
                method="",
                attributes={"rpc.system": "grpc", "server.address": "prices"},
            )
        ),
        Expected(says="prices"),
    ),
    clean("299 ms in a short request", web(call(ms=299), ms=320)),
    clean("900 ms of a long task", task(call(ms=900), ms=60_000)),
    clean("many quick calls", web(*(call(ms=50) for _ in range(4)))),
    clean(
        "waiting for messages",
        task(
            call(
                ms=20_000,
                method="",
                attributes={"rpc.system": "aws-api", "rpc.method": "ReceiveMessage"},
            )
        ),
    ),
    clean(
        "waiting for Redis",
        task(query("BRPOP ?", ms=5000, attributes={"db.system.name": "redis"})),
    ),
    clean("a slow query is no call", web(query("SELECT 1 FROM t", ms=3000))),
]
