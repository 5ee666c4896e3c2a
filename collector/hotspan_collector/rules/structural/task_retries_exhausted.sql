/*
id = "task_retries_exhausted"
title = "Task gave up after its retries"
finds = "Tasks that failed although they were tried again and again."
why = """
Retries are for what passes. What is left after them does not pass by itself: the work is lost unless
somebody does it.
"""
when = "rule_tasks WHERE outcome = 'exhausted'"
needs = ["hotspan.task.max_retries", "hotspan.task.outcome"]
opens_at_once = true
critical_hits_per_hour = 0
summary = "Task {task} gave up after {retries} retries: {exception}: {message}"

[suggestions]
longer = "{exception} lasted longer than {retries} retries: let task {task} try for longer (max_retries, retry_backoff=True, retry_backoff_max=3600), keep what could not be done (a row with its state, a dead-letter queue), and look at why the other side stays away."
mend = "{exception} at {location} did not go away by trying again: mend it, and let task {task} retry what passes only, autoretry_for=(…) with those exceptions alone."
*/
SELECT
    trace_id,
    entry_span_id,
    if(exception_type = '', 'unknown', exception_type) AS identity,
    'critical' AS severity,
    if(max_retries IS NOT NULL, 'high', 'medium') AS confidence,
    1 AS count,
    duration_ns AS wasted_ns,
    '' AS statement,
    map(
        'task', task,
        'exception', identity,
        'message', exception_message,
        'retries', toString(retries),
        'location', if(code_file = '', 'an unknown place', concat(code_file, ':', toString(code_line)))) AS details,
    arrayFilter(x -> x != '', [
        if(max_retries IS NULL, 'hotspan.task.max_retries', ''),
        if(outcome_told, '', 'hotspan.task.outcome')]) AS missing,
    [entry_span_id] AS span_ids,
    if(is_transient OR match(exception_type, 'MaxRetriesExceeded'), 'longer', 'mend') AS suggestion,
    code_file,
    code_line,
    code_function
FROM rule_tasks
WHERE outcome = 'exhausted'
