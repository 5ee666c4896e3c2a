/*
id = "task_lost"
title = "Task lost"
finds = "Tasks that were published and never ended: the worker was killed, or the message is gone."
why = """
Nobody is told: there is no exception, no retry and no result. The mail is not sent, and the row stays
as it is for ever.
"""
when = "publications WHERE published_at >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')"
needs = ["hotspan.task.outcome"]
about = "task"
opens_at_once = true
critical_hits_per_hour = 0
summary = "{count} {task} lost: {how}"

[settings.window_minutes]
type = "Float64"
default = 720
unit = "minutes"
reason = "Half a day: the longest wait, limit and retry delay must fit in it."

[settings.wait_factor]
type = "Float64"
default = 2
unit = "times the p99 of the task's usual wait"
reason = "Waits vary; twice the longest usual one is another matter."

[settings.min_wait_s]
type = "Float64"
default = 60
unit = "seconds"
reason = "A worker that restarts is away for some seconds."

[settings.unknown_limit_s]
type = "Float64"
default = 3600
unit = "seconds"
reason = "How long a task may run whose time limit is not known."

[settings.retry_delay_s]
type = "Float64"
default = 3600
unit = "seconds"
reason = "How far ahead a retry may have been planned, when its publication does not say."

[suggestions]
killed = "The process that ran {task} was killed: look at its memory (dmesg, OOM), at worker_max_memory_per_child and at what else ends workers. Set acks_late=True and task_reject_on_worker_lost=True, so that another worker takes it over, and make it safe to run twice."
vanished = "{task} was published, and tasks published after it into queue {queue} have run: the worker that took it was killed, or lost its spans. Set acks_late=True and task_reject_on_worker_lost=True, check the broker's visibility_timeout, and install the hotspan distro in the worker, which tells killed, revoked and expired tasks apart."
*/
WITH
    (SELECT fromUnixTimestamp64Milli({since_ms:Int64} + toInt64(60000 * {window_minutes:Float64}), 'UTC')) AS present,
    runs AS
    (
        SELECT
            namespace, environment, message_id,
            count() AS attempts,
            countIf(task_outcome = 'lost') AS killed,
            -- in whatever way
            countIf(task_outcome != 'lost' AND task_state != 'RETRY') AS ended,
            any(name) AS task,
            min(start_time) AS first_start,
            max(duration_ns) / 1e9 AS longest_s,
            max(counters['hotspan.task.time_limit_s']) AS limit_s,
            max(mapContains(counters, 'hotspan.task.max_retries')) AS is_told,
            argMax((trace_id, entry_span_id), start_time) AS newest,
            max(start_time) AS newest_start
        FROM current_entries
        WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
            AND kind = 'task'
            AND message_id != ''
        GROUP BY namespace, environment, message_id
    ),
    wanted AS
    (
        SELECT
            namespace, environment, message_id,
            count() AS times,
            any(task) AS task,
            any(queue) AS queue,
            min(published_at) AS first_published,
            max(published_at) AS last_published,
            max(greatest(published_at, ifNull(eta, published_at))) AS due,
            max(eta) AS last_eta,
            max(expires) AS last_expires,
            argMax((trace_id, entry_span_id), published_at) AS publisher,
            argMax(span_id, published_at) AS publication
        FROM publications FINAL
        WHERE published_at >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
        GROUP BY namespace, environment, message_id
    ),
    messages AS
    (
        SELECT
            wanted.*,
            runs.attempts AS attempts,
            max(if(runs.attempts > 0, wanted.first_published, toDateTime64(0, 9, 'UTC')))
                OVER (PARTITION BY wanted.namespace, wanted.environment, wanted.queue) AS drained_to,
            quantileIf(0.99)(dateDiff('millisecond', wanted.first_published, runs.first_start) / 1000, runs.attempts > 0)
                OVER (PARTITION BY wanted.namespace, wanted.environment, wanted.task) AS wait_of_task,
            quantileIf(0.99)(dateDiff('millisecond', wanted.first_published, runs.first_start) / 1000, runs.attempts > 0)
                OVER (PARTITION BY wanted.namespace, wanted.environment, wanted.queue) AS wait_in_queue,
            max(runs.limit_s) OVER (PARTITION BY wanted.namespace, wanted.environment, wanted.task) AS limit_s,
            max(runs.longest_s) OVER (PARTITION BY wanted.namespace, wanted.environment, wanted.task) AS longest_s,
            max(runs.is_told) OVER (PARTITION BY wanted.namespace, wanted.environment, wanted.queue) AS is_told,
            argMax(runs.newest, runs.newest_start)
                OVER (PARTITION BY wanted.namespace, wanted.environment, wanted.task) AS newest_of_task
        FROM wanted
        LEFT JOIN runs
            ON runs.namespace = wanted.namespace AND runs.environment = wanted.environment
                AND runs.message_id = wanted.message_id
    ),
    vanished AS
    (
        SELECT
            namespace, environment, task,
            count() AS n,
            any(queue) AS queue,
            max(is_told) AS told,
            -- the entry that asked for it; beat is none, so then a run of the same task
            argMax(if(publisher.2 = toFixedString('', 8), newest_of_task, publisher), last_published) AS shown,
            [argMax(publication, last_published)] AS spans
        FROM messages
        WHERE attempts < times
            -- a backlog is no loss: what came after it has run
            AND last_published < drained_to
            AND NOT ifNull(last_expires < present, false)
            AND dateDiff('second', due, present) >
                greatest({min_wait_s:Float64}, {wait_factor:Float64} * if(isNaN(wait_of_task), wait_in_queue, wait_of_task))
                + if(limit_s > 0, limit_s, greatest({unknown_limit_s:Float64}, 2 * longest_s))
                + if(times > 1 AND last_eta IS NULL, {retry_delay_s:Float64}, 0)
        GROUP BY namespace, environment, task
    ),
    found AS
    (
        SELECT
            task, count() AS n, '' AS queue, true AS told, argMax(newest, newest_start) AS shown,
            []::Array(FixedString(8)) AS spans, 'killed' AS how
        FROM runs
        -- given to another worker, it may have ended well
        WHERE killed > 0 AND ended = 0
        GROUP BY namespace, environment, task
        UNION ALL
        SELECT task, n, queue, told, shown, spans, 'vanished' AS how
        FROM vanished
        WHERE shown.2 != toFixedString('', 8)
    )
SELECT
    shown.1 AS trace_id,
    shown.2 AS entry_span_id,
    how AS identity,
    if(told, 'critical', 'warning') AS severity,
    multiIf(how = 'killed', 'high', told, 'medium', 'low') AS confidence,
    toUInt32(n) AS count,
    0 AS wasted_ns,
    '' AS statement,
    map(
        'task', toString(task),
        'queue', toString(queue),
        'how', if(how = 'killed', 'the process that ran it was killed', 'published, and never run')) AS details,
    if(told, [], ['hotspan.task.outcome'])::Array(String) AS missing,
    spans AS span_ids,
    -- 'killed' or 'vanished'
    how AS suggestion,
    '' AS code_file,
    0 AS code_line,
    '' AS code_function
FROM found
