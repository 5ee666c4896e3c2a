/*
id = "latency_budget"
title = "Slower than its target"
finds = "Routes, and tasks that have a target, whose p95, p99 or mean lies above it."
why = """
People wait for the slow answers, and the mean hides them: who opens twenty pages meets the p95 once.
"""
when = "(SELECT 1 FROM entries WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') GROUP BY service, namespace, environment, name HAVING count() >= least({min_entries:UInt32}, {slow_min_entries:UInt32}))"
needs = []
opens_at_once = true
critical_hits_per_hour = 0
summary = "{entry} takes {mean} on average, p95 {p95}, p99 {p99} (targets {targets}), over {entries} runs in {minutes} minutes"

[settings.window_minutes]
type = "Float64"
default = 60
unit = "minutes"
reason = "For what is not called often enough to be judged by the short window."

[settings.short_window_minutes]
type = "Float64"
default = 5
unit = "minutes"
reason = "What is called often is judged by what it does now."

[settings.min_entries]
type = "UInt32"
default = 100
unit = "entries"
reason = "One slow answer in a hundred is what a p99 means; with fewer it is an accident."

[settings.p95_ms]
type = "Float64"
default = 200
unit = "ms"
reason = "Below this an answer feels immediate, with the network added."

[settings.p99_ms]
type = "Float64"
default = 500
unit = "ms"
reason = "The worst answer that an active user meets every day."

[settings.mean_ms]
type = "Float64"
default = 100
unit = "ms"
reason = "What the machines are paid for."

[settings.task_p95_ms]
type = "Float64"
default = 0
unit = "ms, 0: none"
reason = "Nobody waits for a task: it has a target when you set one."

[settings.slow_ms]
type = "Float64"
default = 2000
unit = "ms"
reason = "A p95 at which people leave: a warning, and fewer runs are enough to say it."

[settings.slow_min_entries]
type = "UInt32"
default = 20
unit = "entries"
reason = "The fewest that have a p95."

[suggestions]
database = "{share} of the time goes to the database: look in the trace for statements that repeat (N+1, duplicates) or are slow, then add select_related, prefetch_related, an index or a cache."
calls = "{share} of the time goes to calls to other services: move them to a task, run them side by side, or keep what they answer. Give each a timeout."
own = "Most of the time goes to nothing that the trace shows: Python, templates, serializers, sleeps, locks. Profile {entry}, and look for loops over many rows and for big responses."
*/
WITH
    timed AS
    (
        SELECT
            service, namespace, environment, kind, name, trace_id, entry_span_id,
            duration_ns, db_time_ns, http_time_ns, weight,
            -- exact to a tenth of a millisecond
            intDiv(duration_ns, 100000) AS ticks,
            toUInt64(round(weight)) AS stands_for,
            start_time >= fromUnixTimestamp64Milli(
                {since_ms:Int64} + toInt64(60000 * ({window_minutes:Float64} - {short_window_minutes:Float64})), 'UTC') AS recent
        FROM current_entries
        WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
            AND (kind = 'web' OR (kind = 'task' AND {task_p95_ms:Float64} > 0))
            AND NOT partial
    ),
    routes AS
    (
        SELECT
            service, namespace, environment, kind, name,
            countIf(recent) >= {min_entries:UInt32} AS is_short,
            if(is_short, countIf(recent), count()) AS n,
            if(is_short,
                quantilesExactWeightedIf(0.95, 0.99)(ticks, stands_for, recent),
                quantilesExactWeighted(0.95, 0.99)(ticks, stands_for)) AS quantiles,
            quantiles[1] / 10 AS p95,
            quantiles[2] / 10 AS p99,
            if(is_short,
                sumIf(duration_ns * weight, recent) / sumIf(weight, recent),
                sum(duration_ns * weight) / sum(weight)) / 1e6 AS mean,
            sum(db_time_ns) / greatest(1, sum(duration_ns)) AS database_share,
            sum(http_time_ns) / greatest(1, sum(duration_ns)) AS call_share,
            if(is_short,
                argMaxIf((trace_id, entry_span_id), duration_ns, recent),
                argMax((trace_id, entry_span_id), duration_ns)) AS worst,
            if(kind = 'task', {task_p95_ms:Float64}, {p95_ms:Float64}) AS p95_target,
            (n >= {min_entries:UInt32} AND (p95 > p95_target OR (kind = 'web' AND (p99 > {p99_ms:Float64} OR mean > {mean_ms:Float64})))) AS is_over,
            (n >= {slow_min_entries:UInt32} AND kind = 'web' AND p95 >= {slow_ms:Float64}) AS is_slow
        FROM timed
        GROUP BY service, namespace, environment, kind, name
        HAVING is_over OR is_slow
    )
SELECT
    worst.1 AS trace_id,
    worst.2 AS entry_span_id,
    '' AS identity,
    if(is_slow, 'warning', 'info') AS severity,
    'high' AS confidence,
    toUInt32(n) AS count,
    toUInt64(1e6 * greatest(0, p95 - p95_target)) AS wasted_ns,
    '' AS statement,
    map(
        'entry', toString(name),
        'p95', concat(toString(round(p95)), ' ms'),
        'p99', concat(toString(round(p99)), ' ms'),
        'mean', concat(toString(round(mean)), ' ms'),
        'targets', if(kind = 'task',
            concat('p95 ', toString(p95_target), ' ms'),
            concat('mean ', toString({mean_ms:Float64}), ', p95 ', toString(p95_target), ', p99 ', toString({p99_ms:Float64}), ' ms')),
        'entries', toString(n),
        'minutes', toString(if(is_short, {short_window_minutes:Float64}, {window_minutes:Float64})),
        'share', concat(toString(round(100 * greatest(database_share, call_share))), ' %')) AS details,
    []::Array(String) AS missing,
    []::Array(FixedString(8)) AS span_ids,
    multiIf(greatest(database_share, call_share) < 0.5, 'own', database_share >= call_share, 'database', 'calls') AS suggestion,
    '' AS code_file,
    0 AS code_line,
    '' AS code_function
FROM routes
