/*
id = "n_plus_one_http"
title = "One call per row"
finds = "Call after call to the same host and path, one for each row of something."
why = """
Each call waits for the network and for the other side; the other side answers them all in one
request, if it is asked so. Calls that run at the same time are reported as information, with their
overlap.
"""
when = "rule_groups WHERE kind = 'n_plus_one_http'"
needs = ["code.file.path", "url.template"]
opens_at_once = false
critical_hits_per_hour = 0
summary = "{count} calls to {target} in one {entry_kind}, {wasted} that one call would save"

[settings.min_count]
type = "UInt32"
default = 5
unit = "calls"
reason = "Fewer are rarely worth a change."

[settings.concurrent_share]
type = "Float64"
default = 0.5
unit = "of the calls"
reason = "Calls that begin before the one before has ended do not wait for each other."

[settings.warning_count]
type = "UInt32"
default = 15
unit = "calls"
reason = "The number grows with the data, also where the other side is fast today."

[settings.critical_count]
type = "UInt32"
default = 50
unit = "calls"
reason = "At 20 ms a call this is a second."

[settings.warning_ms]
type = "Float64"
default = 100
unit = "ms wasted"
reason = "Half of a page's budget of 200 ms."

[settings.critical_ms]
type = "Float64"
default = 1000
unit = "ms wasted"
reason = "A user notices a second."

[suggestions]
batch = "Ask {target} once for all: use its batch endpoint, or one with a list of keys. Where it has none, keep one session (requests.Session, httpx.Client) for all calls and run them side by side with a bound (ThreadPoolExecutor, asyncio.gather); keep answers in the cache."
same = "The same address is called again and again: keep the answer, in a variable or in the cache; if each call sends something else, send it all in one call to a batch endpoint."
concurrent = "The calls to {target} run side by side already. A batch endpoint would spare the other side; keep a bound on how many run at a time."
*/
SELECT
    trace_id,
    entry_span_id,
    identity,
    multiIf(
        overlap >= {concurrent_share:Float64}, 'info',
        wasted_ns >= {critical_ms:Float64} * 1e6 OR n >= {critical_count:UInt32}, 'critical',
        wasted_ns >= {warning_ms:Float64} * 1e6 OR n >= {warning_count:UInt32}, 'warning',
        'info') AS severity,
    confidence,
    n AS count,
    wasted_ns,
    statement,
    details,
    missing,
    span_ids,
    multiIf(overlap >= {concurrent_share:Float64}, 'concurrent', shape = 'same', 'same', 'batch') AS suggestion,
    code_file,
    code_line,
    code_function
FROM rule_groups
WHERE kind = 'n_plus_one_http' AND n >= {min_count:UInt32}
