/*
id = "missing_timeout"
title = "Call without a timeout"
finds = "Calls to the outside that would wait for ever."
why = """
Without a timeout a call waits as long as the other side keeps the connection open. One service that
hangs is enough to stop all workers, one after the other, without an error anywhere.
"""
when = "rule_calls WHERE timeout_s < 0 OR (timeout_s IS NULL AND duration_ns >= {stock_min_ms:Float64} * 1e6)"
needs = ["hotspan.client.timeout_s", "code.file.path"]
opens_at_once = false
critical_hits_per_hour = 0
summary = "{count} call(s) to {target} without a timeout, the longest took {slowest_ms} ms"

[settings.stock_min_ms]
type = "Float64"
default = 10000
unit = "ms"
reason = "Stock spans do not tell timeouts; a call that was waited for so long probably had none."

[suggestions]
none = "Give the call to {target} a timeout: requests.{verb}(…, timeout=(3.05, 10)), 3.05 s to connect and 10 s between two bytes; once for all calls in a Session or client of your own."
probably = "Check whether the call to {target} has a timeout: it was waited for {slowest_ms} ms. If not, pass timeout=(3.05, 10)."
*/
SELECT
    trace_id,
    entry_span_id,
    target AS identity,
    'warning' AS severity,
    if(countIf(timeout_s < 0) > 0, 'high', 'low') AS confidence,
    count() AS count,
    -- nothing has been lost yet
    toUInt64(0) AS wasted_ns,
    '' AS statement,
    map(
        'target', target,
        'verb', if(match(target, '^(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) '), lower(extract(target, '^[A-Z]+')), 'request'),
        'slowest_ms', toString(round(max(duration_ns) / 1e6))) AS details,
    arrayFilter(x -> x != '', [
        if(confidence = 'low', 'hotspan.client.timeout_s', ''),
        if(code_file = '', 'code.file.path', '')]) AS missing,
    arraySlice(arrayMap(x -> x.2, arraySort(groupArray((start_ns, span_id)))), 1, 20) AS span_ids,
    if(confidence = 'high', 'none', 'probably') AS suggestion,
    code_file,
    code_line,
    code_function
FROM rule_calls
WHERE timeout_s < 0
    OR (timeout_s IS NULL
        AND duration_ns >= {stock_min_ms:Float64} * 1e6
        -- what timed out had one, unless the operating system gave up
        AND (NOT timed_out OR match(exception_message, 'Errno 110')))
GROUP BY trace_id, entry_span_id, target, code_file, code_line, code_function
