"""missing_timeout: calls that would wait for ever.

A call has no timeout when its span says so, or when it was waited for very long.
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

NONE = {"hotspan.client.timeout_s": -1.0}
TEN = {"hotspan.client.timeout_s": 10.0}
TIMED_OUT = ("requests.exceptions.ReadTimeout", "Read timed out. (read timeout=30)")

CASES = [
    guilty(
        "quick, and without a timeout",
        web(call(ms=3, site=SITE, attributes=NONE)),
        Expected(
            severity="warning",
            confidence="high",
            count=1,
            suggestion="none",
            says="requests.post(",
            line=42,
            missing=(),
            wasted_ms=0,
        ),
    ),
    guilty("in a task", task(call(attributes=NONE)), Expected(missing=("code.file.path",))),
    guilty("in a command", command(call(attributes=NONE, site=SITE))),
    guilty(
        "one finding for each target",
        web(
            call("https://a.example/x", attributes=NONE),
            call("https://b.example/x", attributes=NONE),
            call("https://b.example/x", attributes=NONE),
        ),
        Expected(count=2, says="b.example"),
        Expected(count=1, says="a.example"),
    ),
    guilty(
        "stock, and ten seconds long",
        web(call(ms=10_000)),
        Expected(
            confidence="low",
            suggestion="probably",
            missing=("hotspan.client.timeout_s", "code.file.path"),
        ),
    ),
    guilty(
        "stock, until the operating system gave up",
        web(call(ms=130_000, raised=("TimeoutError", "[Errno 110] Connection timed out"))),
        Expected(confidence="low"),
    ),
    guilty(
        "told by the library below",
        web(
            call(method="", attributes={"rpc.system": "aws-api"}, children=(call(attributes=NONE),))
        ),
        Expected(confidence="high", count=1),
    ),
    clean("with a timeout", web(call(ms=9000, attributes=TEN))),
    clean("with a timeout, and longer than it", web(call(ms=12_000, attributes=TEN))),
    clean("stock and quick", web(call(ms=900))),
    clean("stock, ended by its timeout", web(call(ms=30_000, raised=TIMED_OUT))),
    clean(
        "with a timeout, told by the library below",
        web(
            call(
                ms=20_000,
                method="",
                attributes={"rpc.system": "aws-api"},
                children=(call(ms=19_000, attributes=TEN),),
            )
        ),
    ),
    clean("a long query is no call", web(query("SELECT 1 FROM t", ms=20_000))),
]
