/*
id = "task_queue_wait"
title = "Tasks wait in the queue"
finds = "Tasks that wait long for a worker, or much longer than they used to. Countdown and ETA are no waiting."
why = """
The queue is where an overload shows first: the mail of a minute ago is sent in an hour, and every
task behind a slow one waits for it.
"""
when = "(SELECT 1 FROM entries WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') AND kind = 'task' AND queue_wait_ms IS NOT NULL GROUP BY service, namespace, environment, name HAVING count() >= {min_entries:UInt32})"
needs = []
opens_at_once = true
critical_hits_per_hour = 0
summary = "{entry} waits {p95} for a worker (p95 of {entries} runs, queue {queue}); before that it was {usual}"

[settings.window_minutes]
type = "Float64"
default = 60
unit = "minutes"
reason = "Long enough for tasks that run now and then."

[settings.min_entries]
type = "UInt32"
default = 20
unit = "runs"
reason = "The fewest that have a p95."

[settings.max_wait_ms]
type = "Float64"
default = 30000
unit = "ms, p95"
reason = "Whoever caused the task notices by then that nothing happens."

[settings.baseline_minutes]
type = "Float64"
default = 10080
unit = "minutes"
reason = "A week: the days before, with their nights and weekends."

[settings.max_growth]
type = "Float64"
default = 5
unit = "times what it was before"
reason = "Days differ by a factor of two or three."

[settings.min_wait_ms]
type = "Float64"
default = 5000
unit = "ms, p95"
reason = "Five times next to nothing is nothing, too."

[suggestions]
backlog = "Queue {queue} has more work than its workers do: add workers or concurrency, make {entry} faster, publish one task for many rows (chunks), and give slow tasks a queue of their own (task_routes) so that quick ones do not wait behind them."
*/
WITH
    recent AS
    (
        SELECT
            service, namespace, environment, name,
            count() AS n,
            quantileExactWeighted(0.95)(queue_wait_ms, toUInt64(round(weight))) AS p95,
            avg(queue_wait_ms) AS mean,
            anyLast(queue) AS last_queue,
            argMax((trace_id, entry_span_id), queue_wait_ms) AS longest
        FROM current_entries
        WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
            AND kind = 'task'
            AND queue_wait_ms IS NOT NULL
        GROUP BY service, namespace, environment, name
        HAVING n >= {min_entries:UInt32} AND p95 > least({min_wait_ms:Float64}, {max_wait_ms:Float64})
    ),
    -- read only for those that wait now
    before AS
    (
        SELECT
            service, namespace, environment, name,
            if(count() >= {min_entries:UInt32}, quantileExactWeighted(0.95)(queue_wait_ms, toUInt64(round(weight))), NULL) AS p95
        FROM current_entries
        WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64} - toInt64(60000 * {baseline_minutes:Float64}), 'UTC')
            AND start_time < fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
            AND kind = 'task'
            AND name IN (SELECT name FROM recent)
            AND queue_wait_ms IS NOT NULL
        GROUP BY service, namespace, environment, name
    ),
    waiting AS
    (
        SELECT recent.*, before.p95 AS usual
        FROM recent
        LEFT JOIN before
            ON before.service = recent.service AND before.namespace = recent.namespace
                AND before.environment = recent.environment AND before.name = recent.name
        WHERE recent.p95 > {max_wait_ms:Float64}
            OR (recent.p95 > {min_wait_ms:Float64} AND recent.p95 > {max_growth:Float64} * before.p95)
    )
SELECT
    longest.1 AS trace_id,
    longest.2 AS entry_span_id,
    '' AS identity,
    if(p95 >= 10 * {max_wait_ms:Float64}, 'critical', 'warning') AS severity,
    'high' AS confidence,
    toUInt32(n) AS count,
    toUInt64(1e6 * mean) AS wasted_ns,
    '' AS statement,
    map(
        'entry', toString(name),
        'p95', concat(toString(round(p95 / 1000, 1)), ' s'),
        'usual', if(usual IS NULL, 'not known', concat(toString(round(usual / 1000, 1)), ' s')),
        'queue', toString(last_queue),
        'entries', toString(n)) AS details,
    []::Array(String) AS missing,
    []::Array(FixedString(8)) AS span_ids,
    'backlog' AS suggestion,
    '' AS code_file,
    0 AS code_line,
    '' AS code_function
FROM waiting
