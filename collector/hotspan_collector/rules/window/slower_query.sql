/*
id = "slower_query"
title = "A statement slower than it was"
finds = "Statements that take several times as long as at this hour of the last seven days, and are not slow enough yet for slow_query."
why = """
A plan that changed, an index that went, a table that outgrew its memory, a lock: a statement that
took 20 ms and takes 80 is felt on every page that makes it, long before it is slow by itself.
"""
when = "entries WHERE start_time >= subtractDays(fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC'), 7) AND start_time < addSeconds(subtractDays(fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC'), 1), toInt64(60 * {window_minutes:Float64})) AND notEmpty(statements)"
needs = []
opens_at_once = true
critical_hits_per_hour = 0
summary = "A statement of {entry} takes {now} ms, {factor} times the {before} ms that it took at this hour of the last days (p95 of {count} calls): {statement}"

[settings.window_minutes]
type = "Float64"
default = 60
unit = "minutes"
reason = "Compared is the same hour of each of the last seven days: loads differ by the hour."

[settings.min_calls]
type = "UInt32"
default = 5
unit = "entries that make it"
reason = "One slow call is a hiccup."

[settings.min_calls_before]
type = "UInt32"
default = 20
unit = "entries that made it, in all of those hours"
reason = "A p95 of fewer is one call's."

[settings.factor]
type = "Float64"
default = 3
unit = "times its earlier p95"
reason = "Twice comes and goes with the load."

[settings.min_ms]
type = "Float64"
default = 20
unit = "ms more"
reason = "Three times next to nothing is next to nothing."

[settings.web_ms]
type = "Float64"
default = 500
unit = "ms"
reason = "From here on slow_query finds it."

[settings.task_ms]
type = "Float64"
default = 2000
unit = "ms"
reason = "Likewise, in tasks and commands."

[suggestions]
compare = "Run EXPLAIN (ANALYZE) on it, and compare with what you know of it: is the index still used (ANALYZE renews the statistics), has the table outgrown its memory, does it wait for a lock or for a busy disk? Look at what was released or migrated since."
*/
WITH
    fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') AS since,
    toInt64(60 * {window_minutes:Float64}) AS window_s,
    asked AS
    (
        SELECT
            service, namespace, environment, kind, name,
            statement.fingerprint AS fingerprint,
            start_time >= since AS is_now,
            statement.time_ns / greatest(1, statement.count) AS call_ns,
            (trace_id, entry_span_id) AS place
        FROM current_entries
        ARRAY JOIN statements AS statement
        WHERE start_time >= since
            -- range by range, so that the days between are not read
            OR start_time >= subtractDays(since, 1) AND start_time < addSeconds(subtractDays(since, 1), window_s)
            OR start_time >= subtractDays(since, 2) AND start_time < addSeconds(subtractDays(since, 2), window_s)
            OR start_time >= subtractDays(since, 3) AND start_time < addSeconds(subtractDays(since, 3), window_s)
            OR start_time >= subtractDays(since, 4) AND start_time < addSeconds(subtractDays(since, 4), window_s)
            OR start_time >= subtractDays(since, 5) AND start_time < addSeconds(subtractDays(since, 5), window_s)
            OR start_time >= subtractDays(since, 6) AND start_time < addSeconds(subtractDays(since, 6), window_s)
            OR start_time >= subtractDays(since, 7) AND start_time < addSeconds(subtractDays(since, 7), window_s)
    ),
    slower AS
    (
        SELECT
            service, namespace, environment, kind, name, fingerprint,
            countIf(is_now) AS calls,
            quantileExactIf(0.95)(call_ns, is_now) / 1e6 AS now_ms,
            quantileExactIf(0.95)(call_ns, NOT is_now) / 1e6 AS before_ms,
            argMaxIf(place, call_ns, is_now) AS slowest
        FROM asked
        GROUP BY service, namespace, environment, kind, name, fingerprint
        HAVING calls >= {min_calls:UInt32}
            AND countIf(NOT is_now) >= {min_calls_before:UInt32}
            AND now_ms >= greatest(before_ms * {factor:Float64}, before_ms + {min_ms:Float64})
            AND now_ms < if(kind = 'web', {web_ms:Float64}, {task_ms:Float64})
    )
SELECT
    slowest.1 AS trace_id,
    slowest.2 AS entry_span_id,
    toString(slower.fingerprint) AS identity,
    'warning' AS severity,
    'high' AS confidence,
    toUInt32(calls) AS count,
    toUInt64(1e6 * (now_ms - before_ms)) AS wasted_ns,
    texts.text AS statement,
    map(
        'entry', toString(name),
        'now', toString(round(now_ms)),
        'before', toString(round(before_ms)),
        'factor', toString(round(now_ms / greatest(0.1, before_ms), 1))) AS details,
    []::Array(String) AS missing,
    []::Array(FixedString(8)) AS span_ids,
    'compare' AS suggestion,
    '' AS code_file,
    0 AS code_line,
    '' AS code_function
FROM slower
INNER JOIN (SELECT fingerprint, any(text) AS text FROM statements GROUP BY fingerprint) AS texts
    ON texts.fingerprint = slower.fingerprint
WHERE NOT match(texts.text, '(?i)^\\s*(CREATE|ALTER|DROP|TRUNCATE|VACUUM|ANALYZE|REINDEX|REFRESH|CLUSTER|COPY|LISTEN)\\b')
