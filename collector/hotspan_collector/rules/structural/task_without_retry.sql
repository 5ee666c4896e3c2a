/*
id = "task_without_retry"
title = "Task without retry"
finds = "Tasks that call the outside, or fail for a reason that passes, and do not try again."
why = """
Networks, databases and other services fail for a moment every day. A task that does not try again
turns each such moment into work that is lost.
"""
when = "rule_tasks WHERE retry_policy IN ('', 'none')"
needs = ["hotspan.task.retry_policy"]
opens_at_once = true
critical_hits_per_hour = 0
summary = "Task {task} {what}, and has no retry policy"

[suggestions]
failed = "Let task {task} try again: @shared_task(autoretry_for=({exception},), retry_backoff=True, retry_backoff_max=600, retry_jitter=True, max_retries=5), and make it safe to run twice (idempotent)."
calls = "Before {target} fails: @shared_task(autoretry_for=({exception},), retry_backoff=True, retry_jitter=True, max_retries=5) on task {task}, and make it safe to run twice (idempotent)."
*/
WITH
    calls AS
    (
        SELECT
            trace_id,
            entry_span_id,
            argMin(target, start_ns) AS target,
            arraySlice(arrayMap(x -> x.2, arraySort(groupArray((start_ns, span_id)))), 1, 20) AS span_ids,
            argMin((code_file, code_line, code_function), start_ns) AS site
        FROM rule_calls
        WHERE entry_kind = 'task'
        GROUP BY trace_id, entry_span_id
    ),
    unprotected AS
    (
        SELECT
            tasks.*,
            tasks.outcome = 'failure' AND tasks.is_transient AND tasks.retries = 0 AS has_failed_so,
            calls.target AS target,
            calls.span_ids AS call_ids,
            calls.site AS site
        FROM rule_tasks AS tasks
        LEFT JOIN calls ON calls.trace_id = tasks.trace_id AND calls.entry_span_id = tasks.entry_span_id
        WHERE tasks.retry_policy = 'none' OR (tasks.retry_policy = '' AND tasks.max_retries IS NULL AND has_failed_so)
    )
SELECT
    trace_id,
    entry_span_id,
    '' AS identity,
    if(has_failed_so, 'warning', 'info') AS severity,
    if(retry_policy = '', 'medium', 'high') AS confidence,
    1 AS count,
    if(has_failed_so, duration_ns, 0) AS wasted_ns,
    '' AS statement,
    map(
        'task', task,
        'target', target,
        'exception', if(has_failed_so, exception_type, 'ConnectionError, TimeoutError'),
        'what', if(has_failed_so, concat('failed with ', exception_type), concat('calls ', target))) AS details,
    if(retry_policy = '', ['hotspan.task.retry_policy'], []) AS missing,
    if(has_failed_so, arraySlice(arrayConcat([entry_span_id], call_ids), 1, 20), call_ids) AS span_ids,
    if(has_failed_so, 'failed', 'calls') AS suggestion,
    if(has_failed_so AND code_file != '', code_file, site.1) AS code_file,
    if(has_failed_so AND code_file != '', code_line, site.2) AS code_line,
    if(has_failed_so AND code_file != '', code_function, site.3) AS code_function
FROM unprotected
WHERE has_failed_so OR target != ''
