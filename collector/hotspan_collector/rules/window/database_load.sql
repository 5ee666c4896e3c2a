/*
id = "database_load"
title = "A database at its limit"
finds = "Databases that work more seconds a second than they should, as seen by those who wait for them."
why = """
Database seconds a second stand for the cores it uses. Near its limit every statement waits for
others, and all pages become slow together.
"""
when = "(SELECT 1 FROM entries WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') GROUP BY namespace, environment HAVING sum(weight * arraySum(mapValues(databases))) > 6e10 * {window_minutes:Float64} * {max_load:Float64})"
needs = []
about = "service"
opens_at_once = true
critical_hits_per_hour = 0
summary = "{database} works {load} s a second, over {minutes} minutes; most of it for {top} ({share})"

[settings.window_minutes]
type = "Float64"
default = 5
unit = "minutes"
reason = "A peak of a minute passes; five are a state."

[settings.max_load]
type = "Float64"
default = 0.7
unit = "seconds a second"
reason = "Seven tenths of a core. Raise it to seven tenths of the cores that your database has."

[suggestions]
top = "Begin with {top}, which takes {share} of it: look at its slow and its repeated statements, cache what does not change, and move reports to a replica or to the night."
*/
WITH
    by_route AS
    (
        SELECT
            namespace, environment, spent.1 AS database, service, name,
            sum(spent.2 * weight) AS time_ns,
            count() AS n,
            argMax((trace_id, entry_span_id), spent.2) AS slowest
        FROM current_entries
        ARRAY JOIN CAST(databases, 'Array(Tuple(String, UInt64))') AS spent
        WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
        GROUP BY namespace, environment, database, service, name
    ),
    by_database AS
    (
        SELECT
            namespace, environment, database,
            sum(time_ns) AS total_ns,
            sum(n) AS entries,
            max(time_ns) AS top_ns,
            argMax(name, time_ns) AS top,
            argMax(slowest, time_ns) AS worst,
            total_ns / 1e9 / (60 * {window_minutes:Float64}) AS load
        FROM by_route
        GROUP BY namespace, environment, database
        HAVING load > {max_load:Float64}
    )
SELECT
    worst.1 AS trace_id,
    worst.2 AS entry_span_id,
    database AS identity,
    'warning' AS severity,
    -- the time that clients wait, which holds the network's, too
    'medium' AS confidence,
    toUInt32(entries) AS count,
    toUInt64(total_ns / entries) AS wasted_ns,
    '' AS statement,
    map(
        'database', database,
        'load', toString(round(load, 2)),
        'minutes', toString({window_minutes:Float64}),
        'top', toString(top),
        'share', concat(toString(round(100 * top_ns / total_ns)), ' %')) AS details,
    []::Array(String) AS missing,
    []::Array(FixedString(8)) AS span_ids,
    'top' AS suggestion,
    '' AS code_file,
    0 AS code_line,
    '' AS code_function
FROM by_database
