/*
id = "slow_external_call"
title = "Slow external call"
finds = "HTTP, gRPC and other calls to the outside that dominate a request or a task."
why = """
While a call waits, so do the user and the worker process that serves nobody else. The other side's
worst day becomes yours.
"""
when = "rule_calls WHERE duration_ns >= least({slow_ms:Float64}, {share_min_ms:Float64}) * 1e6"
needs = ["code.file.path", "hotspan.client.timeout_s"]
opens_at_once = false
critical_hits_per_hour = 0
summary = "{wasted} in {count} call(s) to {target}, {share} % of the {entry_kind}"

[settings.slow_ms]
type = "Float64"
default = 1000
unit = "ms"
reason = "A user notices a second."

[settings.share_percent]
type = "Float64"
default = 30
unit = "% of the entry"
reason = "A call that takes a third of an entry is where its time goes."

[settings.share_min_ms]
type = "Float64"
default = 300
unit = "ms"
reason = "A large share of a short entry harms nobody."

[settings.critical_ms]
type = "Float64"
default = 5000
unit = "ms"
reason = "Proxies and users give up at about this time."

[suggestions]
web = "Take the call to {target} out of the request: start a Celery task after the commit (transaction.on_commit(lambda: task.delay(pk))), or cache its answer. {timeout}"
task = "Cache the answer of {target}, or send several in one request; retry with back-off (autoretry_for, retry_backoff). {timeout}"
model = "The longer the prompt and the answer, the longer {target} thinks: send what the question needs only, limit the tokens of the answer, cache what is asked again, stream the answer, or answer from a Celery task. {timeout}"
*/
SELECT
    trace_id,
    entry_span_id,
    target AS identity,
    multiIf(
        max(duration_ns) >= {critical_ms:Float64} * 1e6, 'critical',
        max(duration_ns) >= {slow_ms:Float64} * 1e6, 'warning',
        'info') AS severity,
    if(code_file = '', 'medium', 'high') AS confidence,
    count() AS count,
    intervalLengthSum(start_ns, end_ns) AS wasted_ns,
    '' AS statement,
    map(
        'target', target,
        'entry_kind', if(any(entry_kind) = 'web', 'request', any(entry_kind)),
        'slowest_ms', toString(round(max(duration_ns) / 1e6, 1)),
        'share', toString(least(100, round(100 * wasted_ns / greatest(1, any(entry_duration_ns))))),
        'status', toString(max(http_status)),
        'timeout', if(max(timeout_s) > 0, concat('Its timeout is ', toString(max(timeout_s)), ' s.'), 'Until then give it a timeout: timeout=(3.05, 10).'),
        'error', any(exception_type)) AS details,
    arrayFilter(x -> x != '', [
        if(code_file = '', 'code.file.path', ''),
        if(max(timeout_s) IS NULL, 'hotspan.client.timeout_s', '')]) AS missing,
    arraySlice(arrayMap(x -> x.2, arraySort(groupArray((start_ns, span_id)))), 1, 20) AS span_ids,
    multiIf(max(is_model), 'model', any(entry_kind) = 'web', 'web', 'task') AS suggestion,
    code_file,
    code_line,
    code_function
FROM rule_calls
WHERE duration_ns >= {slow_ms:Float64} * 1e6
    OR (duration_ns >= {share_min_ms:Float64} * 1e6
        AND duration_ns >= entry_duration_ns * {share_percent:Float64} / 100)
GROUP BY trace_id, entry_span_id, target, code_file, code_line, code_function
