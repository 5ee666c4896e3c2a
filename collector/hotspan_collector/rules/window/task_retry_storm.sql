/*
id = "task_retry_storm"
title = "Retries eat the workers"
finds = "Tasks of which many runs are retries, or one of which is tried again and again."
why = """
A retry is work for nothing that comes back. When the other side is down, retries without back-off
keep it down, and the workers from everything else.
"""
when = "entries WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') AND kind = 'task'"
needs = []
opens_at_once = true
critical_hits_per_hour = 0
summary = "{retries} of {entries} runs of {entry} ended in a retry; up to {most} runs of one task"

[settings.window_minutes]
type = "Float64"
default = 60
unit = "minutes"
reason = "Long enough for a back-off to show."

[settings.min_entries]
type = "UInt32"
default = 20
unit = "runs"
reason = "Fewer say nothing about a share."

[settings.retry_percent]
type = "Float64"
default = 30
unit = "% of the runs"
reason = "Nearly a third of the work is done for nothing."

[settings.max_runs]
type = "UInt32"
default = 5
unit = "runs of one task id"
reason = "What has not worked four times will not work the fifth time soon."

[suggestions]
share = "Find out what {entry} waits for: the reason stands in the traces of its retries. Use retry_backoff=True, retry_backoff_max and retry_jitter=True, and do not publish while the other side is known to be down."
endless = "One {entry} ran {most} times: set max_retries and retry_backoff=True, and let a failure be a failure. For polling, publish a new task with a countdown that grows."
*/
WITH
    attempts AS
    (
        SELECT
            service, namespace, environment, name,
            -- without an id attempts cannot be told to be of one task
            if(message_id = '', toString(entry_span_id), message_id) AS task_id,
            -- an attempt that came twice (a worker that died, and its replacement) is one
            uniqExact(task_retries) AS runs,
            uniqExactIf(task_retries, task_state = 'RETRY') AS retried,
            max(weight) AS stands_for,
            argMax((trace_id, entry_span_id), start_time) AS newest,
            max(start_time) AS newest_start
        FROM current_entries
        WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
            AND kind = 'task'
            AND NOT partial
        GROUP BY service, namespace, environment, name, task_id
    ),
    tasks AS
    (
        SELECT
            service, namespace, environment, name,
            sum(runs) AS n,
            sum(retried) AS retries,
            100 * sum(retried * stands_for) / sum(runs * stands_for) AS percent,
            maxIf(runs, retried > 0) AS most,
            argMaxIf(newest, (runs, newest_start), retried > 0) AS worst
        FROM attempts
        GROUP BY service, namespace, environment, name
        HAVING retries > 0
            AND ((n >= {min_entries:UInt32} AND percent >= {retry_percent:Float64}) OR most >= {max_runs:UInt32})
    )
SELECT
    worst.1 AS trace_id,
    worst.2 AS entry_span_id,
    '' AS identity,
    'warning' AS severity,
    'high' AS confidence,
    toUInt32(retries) AS count,
    0 AS wasted_ns,
    '' AS statement,
    map(
        'entry', toString(name),
        'retries', toString(retries),
        'entries', toString(n),
        'most', toString(most)) AS details,
    []::Array(String) AS missing,
    []::Array(FixedString(8)) AS span_ids,
    if(most >= {max_runs:UInt32}, 'endless', 'share') AS suggestion,
    '' AS code_file,
    0 AS code_line,
    '' AS code_function
FROM tasks
