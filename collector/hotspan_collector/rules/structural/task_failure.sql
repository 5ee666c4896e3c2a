/*
id = "task_failure"
title = "Task failed"
finds = "Celery tasks that ended in failure. A retry that later succeeds is none."
why = """
Nobody waits for a task, so nobody sees it fail: the mail that was not sent, the invoice that was
not booked.
"""
when = "rule_tasks WHERE outcome = 'failure'"
needs = ["hotspan.task.outcome"]
opens_at_once = true
critical_hits_per_hour = 10
summary = "{exception} in task {task}: {message}"

[suggestions]
raised = "Task {task} raises {exception} at {location}: mend it there, or catch what the task can live with. Declare what it may raise in the normal course with throws=(…,)."
transient = "{exception} is often gone a moment later: let task {task} retry with autoretry_for=({exception},), retry_backoff=True, retry_jitter=True and max_retries, and make it safe to run twice."
*/
SELECT
    trace_id,
    entry_span_id,
    -- a line moves with every release, its function stays
    trimRight(concat(if(exception_type = '', 'unknown', exception_type), ' ', code_function)) AS identity,
    'warning' AS severity,
    if(outcome_told, 'high', 'medium') AS confidence,
    1 AS count,
    duration_ns AS wasted_ns,
    '' AS statement,
    map(
        'task', task,
        'exception', if(exception_type = '', 'unknown', exception_type),
        'message', exception_message,
        'retries', toString(retries),
        'location', if(code_file = '', 'an unknown place', concat(code_file, ':', toString(code_line)))) AS details,
    if(outcome_told, [], ['hotspan.task.outcome']) AS missing,
    [entry_span_id] AS span_ids,
    if(is_transient, 'transient', 'raised') AS suggestion,
    code_file,
    code_line,
    code_function
FROM rule_tasks
WHERE outcome = 'failure'
