/*
id = "task_timeout"
title = "Task ran into its time limit"
finds = "Tasks ended by their soft or hard time limit, tasks that catch the soft one, and tasks that run longer than a limit that their pool ignores."
why = """
At the hard limit the process is killed in the middle of its work: nothing is cleaned up, and no
exception tells of it. At the soft limit the work is given up, and usually begun anew.
"""
when = "rule_tasks WHERE outcome IN ('soft_timeout', 'caught', 'hard_timeout', 'overrun')"
needs = ["hotspan.task.outcome", "hotspan.task.soft_limit_passed", "celery.timelimit"]
opens_at_once = true
critical_hits_per_hour = 0
summary = "Task {task} {what} after {seconds} s, its limit is {limit}"

[suggestions]
soft = "Task {task} needs more than its soft_time_limit of {limit}: do less in one run (a task for each batch of keys, with a chord or a chain), speed up what takes its time (see its trace), or raise the limit. Catch SoftTimeLimitExceeded to store how far it came."
caught = "Task {task} catches its soft_time_limit of {limit}, and ends without having done its work: do less in one run (a task for each batch of keys, with a chord or a chain), or raise the limit; publish what is left as a task of its own."
hard = "Task {task} was killed at its time_limit of {limit}: set a soft_time_limit some seconds below it, so that the task can clean up; do less in one run (a task for each batch of keys); with acks_late=True make it safe to run twice."
ignored = "The pool that runs task {task} does not enforce time limits (threads, gevent, eventlet, solo; or the task catches SoftTimeLimitExceeded and goes on): run it in a prefork pool, or give each call in it a timeout of its own. Raise the limit of {limit} if the task may take so long."
*/
SELECT
    trace_id,
    entry_span_id,
    outcome AS identity,
    if(outcome = 'caught', 'warning', 'critical') AS severity,
    if(outcome_told OR outcome = 'soft_timeout', 'high', 'medium') AS confidence,
    1 AS count,
    duration_ns AS wasted_ns,
    '' AS statement,
    map(
        'task', task,
        'what', multiIf(
            outcome = 'soft_timeout', 'gave up at its soft limit',
            outcome = 'caught', 'caught its soft limit and ended',
            outcome = 'hard_timeout', 'was killed',
            'ended'),
        'seconds', toString(round(duration_ns / 1e9, 1)),
        'limit', if(limit_s > 0, concat(toString(limit_s), ' s'), 'not known')) AS details,
    arrayFilter(x -> x != '', [
        if(outcome_told, '', 'hotspan.task.outcome'),
        if(limit_s > 0, '', 'celery.timelimit')]) AS missing,
    [entry_span_id] AS span_ids,
    multiIf(outcome = 'soft_timeout', 'soft', outcome = 'caught', 'caught', outcome = 'hard_timeout', 'hard', 'ignored') AS suggestion,
    code_file,
    code_line,
    code_function
FROM
(
    SELECT
        *,
        multiIf(
            outcome = 'hard_timeout', hard_limit_s,
            soft_limit_s > 0, soft_limit_s,
            hard_limit_s) AS limit_s
    FROM rule_tasks
    WHERE outcome IN ('soft_timeout', 'caught', 'hard_timeout', 'overrun')
)
