/*
id = "connection_per_request"
title = "A new connection for most requests"
finds = "Services that open a database connection in half of their requests and tasks, or more."
why = """
A connection costs a round trip or several, a login, and with PostgreSQL a process of its own. One a
request is often more than the queries cost, and a peak of requests is a peak of connections.
"""
when = "(SELECT 1 FROM entries WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') AND notEmpty(databases) GROUP BY service, namespace, environment HAVING count() >= {min_entries:UInt32})"
needs = ["hotspan.db.connects"]
about = "service"
opens_at_once = true
critical_hits_per_hour = 0
summary = "{share} of the {entries} entries of {service} open a connection, {time} each on average"

[settings.window_minutes]
type = "Float64"
default = 60
unit = "minutes"
reason = "The first requests of each process connect; later ones need not."

[settings.min_entries]
type = "UInt32"
default = 20
unit = "entries that ask a database"
reason = "Fewer may be the first ones of as many processes."

[settings.min_percent]
type = "Float64"
default = 50
unit = "% of these"
reason = "Processes that serve few requests each connect now and then."

[suggestions]
keep = "Keep connections: CONN_MAX_AGE = 600 with CONN_HEALTH_CHECKS = True, or OPTIONS = {{\"pool\": True}} on PostgreSQL with psycopg 3 (under ASGI, too), or PgBouncer. Workers that end after a few requests (max_requests) begin anew each time."
*/
WITH services AS
(
    SELECT
        service, namespace, environment,
        count() AS n,
        sumIf(weight, counters['hotspan.db.connects'] > 0) AS connecting,
        sum(weight) AS all_entries,
        sum(counters['hotspan.db.connects']) AS connects,
        sum(counters['hotspan.db.connect_ms']) / greatest(1, connects) AS mean_ms,
        argMaxIf((trace_id, entry_span_id), start_time, counters['hotspan.db.connects'] > 0) AS newest
    FROM current_entries
    WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
        AND kind IN ('web', 'task')
        AND NOT partial
        -- opening a file costs next to nothing
        AND arrayExists(database -> NOT startsWith(database, 'sqlite'), mapKeys(databases))
    GROUP BY service, namespace, environment
    HAVING n >= {min_entries:UInt32} AND connecting > 0 AND 100 * connecting >= {min_percent:Float64} * all_entries
)
SELECT
    newest.1 AS trace_id,
    newest.2 AS entry_span_id,
    '' AS identity,
    'info' AS severity,
    'high' AS confidence,
    toUInt32(connects) AS count,
    toUInt64(1e6 * mean_ms) AS wasted_ns,
    '' AS statement,
    map(
        'share', concat(toString(round(100 * connecting / all_entries)), ' %'),
        'time', concat(toString(round(mean_ms, 1)), ' ms'),
        'entries', toString(n)) AS details,
    []::Array(String) AS missing,
    []::Array(FixedString(8)) AS span_ids,
    'keep' AS suggestion,
    '' AS code_file,
    0 AS code_line,
    '' AS code_function
FROM services
