/*
id = "near_timeout"
title = "Timeouts, or close to it"
finds = "Calls that ended by their timeout, or took most of it."
why = """
A call that times out has cost its whole timeout and brought nothing. One that comes close will time
out on the next busy day.
"""
when = "rule_calls WHERE timed_out OR timeout_s > 0"
needs = ["hotspan.client.timeout_s", "code.file.path"]
opens_at_once = false
critical_hits_per_hour = 0
summary = "{count} call(s) to {target}: {timed_out} ended by timeout, the slowest took {slowest_ms} ms of {timeout}"

[settings.share_percent]
type = "Float64"
default = 80
unit = "% of the timeout"
reason = "What usually takes so much of its timeout exceeds it when the other side is busy."

[suggestions]
timed_out = "{target} did not answer within {timeout}. Retry later instead of failing (in a task: autoretry_for, retry_backoff=True, retry_jitter=True); stop asking while it is down (a circuit breaker); raise the timeout only if the answer is worth the wait."
near = "{target} took {slowest_ms} ms of {timeout}. Find out why it is slow, cache its answer, or ask for less; raise the timeout where nobody waits, and retry with back-off."
*/
WITH near AS
(
    SELECT *
    FROM rule_calls
    WHERE timed_out
        OR (timeout_s > 0 AND duration_ns >= timeout_s * {share_percent:Float64} * 1e7)
)
SELECT
    trace_id,
    entry_span_id,
    target AS identity,
    if(countIf(timed_out) > 0, 'warning', 'info') AS severity,
    if(code_file = '', 'medium', 'high') AS confidence,
    count() AS count,
    intervalLengthSum(start_ns, end_ns) AS wasted_ns,
    '' AS statement,
    map(
        'target', target,
        'timed_out', toString(countIf(timed_out)),
        'slowest_ms', toString(round(max(duration_ns) / 1e6)),
        'timeout', if(max(timeout_s) > 0, concat('a timeout of ', toString(max(timeout_s)), ' s'), 'its timeout'),
        'error', any(exception_type)) AS details,
    arrayFilter(x -> x != '', [
        if(max(timeout_s) IS NULL, 'hotspan.client.timeout_s', ''),
        if(code_file = '', 'code.file.path', '')]) AS missing,
    arraySlice(arrayMap(x -> x.2, arraySort(groupArray((start_ns, span_id)))), 1, 20) AS span_ids,
    if(severity = 'warning', 'timed_out', 'near') AS suggestion,
    code_file,
    code_line,
    code_function
FROM near
GROUP BY trace_id, entry_span_id, target, code_file, code_line, code_function
