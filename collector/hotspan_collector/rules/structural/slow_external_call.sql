/*
id = "slow_external_call"
title = "Slow external call"
finds = "HTTP, gRPC and other calls to the outside that dominate a request or a task."
why = """
While a call waits, so do the user and the worker process that serves nobody else. The other side's
worst day becomes yours.
"""
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
web = "Take the call to {target} out of the request: start a Celery task after the commit (transaction.on_commit(task.delay)), or cache its answer. Until then give it a timeout, for example timeout=(3.05, 10)."
task = "Give the call to {target} a timeout, for example timeout=(3.05, 10), and retry with back-off (autoretry_for, retry_backoff); cache its answer, or send several in one request."
*/
WITH calls AS
(
    SELECT
        *,
        concat(
            if(http_method = '', '', concat(http_method, ' ')),
            peer,
            -- the path without what differs from call to call
            replaceRegexpAll(path(url), '/(\\d+|[0-9a-fA-F]{8}-?[0-9a-fA-F-]{4,}|[0-9a-fA-F]{16,})', '/{id}')) AS target,
        duration_ns >= {slow_ms:Float64} * 1e6
            OR (duration_ns >= {share_min_ms:Float64} * 1e6
                AND duration_ns >= entry_duration_ns * {share_percent:Float64} / 100) AS slow
    FROM rule_spans
    WHERE is_call
)
SELECT
    trace_id,
    entry_span_id,
    target AS identity,
    multiIf(
        max(duration_ns) >= {critical_ms:Float64} * 1e6, 'critical',
        max(duration_ns) >= {slow_ms:Float64} * 1e6, 'warning',
        'info') AS severity,
    if(code_file = '', 'medium', 'high') AS confidence,
    countIf(slow) AS count,
    intervalLengthSumIf(start_ns, end_ns, slow) AS wasted_ns,
    '' AS statement,
    map(
        'target', target,
        'entry_kind', if(any(entry_kind) = 'web', 'request', any(entry_kind)),
        'slowest_ms', toString(round(max(duration_ns) / 1e6, 1)),
        'share', toString(least(100, round(100 * wasted_ns / greatest(1, any(entry_duration_ns))))),
        'status', toString(max(http_status)),
        'error', any(exception_type)) AS details,
    arrayFilter(x -> x != '', [if(code_file = '', 'code.file.path', '')]) AS missing,
    arraySlice(arrayMap(x -> x.2, arraySort(groupArrayIf((start_ns, span_id), slow))), 1, 20) AS span_ids,
    if(any(entry_kind) = 'web', 'web', 'task') AS suggestion,
    code_file,
    code_line,
    code_function
FROM calls
GROUP BY trace_id, entry_span_id, target, code_file, code_line, code_function
HAVING count > 0
