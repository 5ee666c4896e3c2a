/*
id = "task_failure"
title = "Task failed"
finds = "Celery tasks that ended in failure. A retry that later succeeds is none."
why = """
Nobody waits for a task, so nobody sees it fail: the mail that was not sent, the invoice that was
not booked.
"""
needs = ["hotspan.task.outcome"]
opens_at_once = true
critical_hits_per_hour = 10
summary = "{exception} in task {task}: {message}"

[suggestions]
raised = "Task {task} raises {exception} at {location}: mend it there, or catch what the task can live with. Declare what it may raise in the normal course with throws=(…,)."
transient = "{exception} is often gone a moment later: let task {task} retry with autoretry_for=({exception},), retry_backoff=True, retry_jitter=True and max_retries, and make it safe to run twice."
exhausted = "Task {task} gave up after {retries} retries: retry longer (max_retries, retry_backoff_max), or find out why the other side stays away."
*/
WITH failed AS
(
    SELECT
        *,
        -- the last frame that is not a library's: where it was raised, as its author sees it
        extractAllGroupsVertical(exception_stacktrace, 'File "([^"]+)", line (\\d+), in ([^\\n]+)') AS frames,
        arrayFilter(f -> NOT match(f[1], '/site-packages/|/dist-packages/|/lib/python[0-9.]+/|^<'), frames) AS own_frames,
        if(notEmpty(own_frames), own_frames[-1], frames[-1]) AS frame
    FROM rule_spans
    WHERE is_entry
        AND entry_kind = 'task'
        AND (task_state = 'FAILURE' OR (task_state = '' AND status = 'error'))
)
SELECT
    trace_id,
    entry_span_id,
    if(exception_type = '', 'unknown', exception_type) AS identity,
    'warning' AS severity,
    if(task_state = 'FAILURE', 'high', 'medium') AS confidence,
    1 AS count,
    duration_ns AS wasted_ns,
    '' AS statement,
    map(
        'task', task,
        'exception', identity,
        'message', substring(if(exception_message != '', exception_message, status_message), 1, 300),
        'retries', toString(task_retries),
        'location', if(frame[1] = '', 'an unknown place', concat(frame[1], ':', frame[2]))) AS details,
    arrayFilter(x -> x != '', [if(task_state = '', 'celery.state', '')]) AS missing,
    [span_id] AS span_ids,
    multiIf(
        task_retries > 0, 'exhausted',
        match(exception_type, '(?i)timeout|connection|unavailable|operationalerror|deadlock|lock'), 'transient',
        'raised') AS suggestion,
    frame[1] AS code_file,
    toUInt32OrZero(frame[2]) AS code_line,
    frame[3] AS code_function
FROM failed
