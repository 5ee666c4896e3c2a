/*
id = "external_call_in_request"
title = "External call inside a request"
finds = "Calls to other services that a web request, or a save() through its signal, waits for."
why = """
While the other service thinks, the user waits and a worker serves nobody. When it is down, so is the
page. In a signal it happens on every save, in admin pages, imports and tests, unseen by the caller.
"""
when = "rule_calls WHERE entry_kind = 'web' OR in_signal"
needs = ["hotspan.client.in_signal", "code.file.path"]
opens_at_once = false
critical_hits_per_hour = 0
summary = "{wasted} in {count} call(s) to {target} {inside}, {share} % of it"

[settings.web_ms]
type = "Float64"
default = 500
unit = "ms"
reason = "More than a page may take altogether."

[settings.share_percent]
type = "Float64"
default = 30
unit = "% of the request"
reason = "A page that spends a third of its time waiting for others is theirs, not yours."

[settings.share_min_ms]
type = "Float64"
default = 100
unit = "ms"
reason = "A large share of a short request, such as a health check, harms nobody."

[settings.signal_ms]
type = "Float64"
default = 100
unit = "ms"
reason = "A signal runs with every save, so less is allowed to it."

[suggestions]
request = "Let a Celery task call {target} after the commit: transaction.on_commit(lambda: notify.delay(pk)). If the page needs the answer, cache it, or load it from the browser in a second request."
signal = "Take the call to {target} out of the signal handler: connect the handler to transaction.on_commit(lambda: notify.delay(instance.pk)) and call from that Celery task."
model = "Answer the request at once and let a Celery task ask {target}; the page polls for the answer, or streams it (StreamingHttpResponse). A shorter prompt and a smaller model answer sooner."
*/
WITH
    waited AS
    (
        SELECT *
        FROM
        (
            SELECT
                *,
                max(end_ns) OVER (PARTITION BY trace_id, entry_span_id ORDER BY start_ns, span_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ends_before,
                min(start_ns) OVER (PARTITION BY trace_id, entry_span_id ORDER BY start_ns, span_id ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS starts_after
            FROM rule_calls
            WHERE entry_kind = 'web' OR in_signal
        )
        -- calls side by side are made by code that does not wait for each
        WHERE ends_before <= start_ns AND (starts_after = 0 OR starts_after >= end_ns)
    )
SELECT
    trace_id,
    entry_span_id,
    target AS identity,
    'warning' AS severity,
    if(code_file = '', 'medium', 'high') AS confidence,
    count() AS count,
    intervalLengthSum(start_ns, end_ns) AS wasted_ns,
    '' AS statement,
    map(
        'target', target,
        'inside', if(max(in_signal), 'inside a signal handler', 'inside the request'),
        'share', toString(least(100, round(100 * wasted_ns / greatest(1, any(entry_duration_ns))))),
        'slowest_ms', toString(round(max(duration_ns) / 1e6))) AS details,
    arrayFilter(x -> x != '', [
        if(max(in_signal) IS NULL, 'hotspan.client.in_signal', ''),
        if(code_file = '', 'code.file.path', '')]) AS missing,
    arraySlice(arrayMap(x -> x.2, arraySort(groupArray((start_ns, span_id)))), 1, 20) AS span_ids,
    multiIf(max(in_signal), 'signal', max(is_model), 'model', 'request') AS suggestion,
    code_file,
    code_line,
    code_function
FROM waited
GROUP BY trace_id, entry_span_id, target, code_file, code_line, code_function
HAVING (any(entry_kind) = 'web' AND (
        wasted_ns >= {web_ms:Float64} * 1e6
        OR (wasted_ns >= {share_min_ms:Float64} * 1e6 AND wasted_ns > any(entry_duration_ns) * {share_percent:Float64} / 100)))
    OR (max(in_signal) AND wasted_ns >= {signal_ms:Float64} * 1e6)
