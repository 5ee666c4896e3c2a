/*
id = "write_on_read"
title = "Reading a page writes"
finds = "GET routes that run the same INSERT, UPDATE or DELETE nearly every time."
why = """
Reads are most of a site's traffic. A write in each of them takes a lock, goes to disk and to every
replica, and makes the page fail when the database is read-only.
"""
when = "(SELECT 1 FROM entries WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') AND kind = 'web' GROUP BY service, namespace, environment, name HAVING count() >= {min_entries:UInt32})"
needs = []
opens_at_once = true
critical_hits_per_hour = 0
summary = "{share} of the {entries} GETs of {entry} run {statement}"

[settings.window_minutes]
type = "Float64"
default = 60
unit = "minutes"
reason = "Long enough for routes that are called now and then."

[settings.min_entries]
type = "UInt32"
default = 20
unit = "GETs"
reason = "Fewer do not tell a habit from an occasion."

[settings.min_percent]
type = "Float64"
default = 80
unit = "% of the GETs"
reason = "Writing now and then (a first visit, a cache in the database) is in order."

[suggestions]
throttle = "Write once a minute, not on every request: if cache.add(f\"seen:{{user.pk}}\", 1, timeout=60): …update(…). Or collect in the cache and let a task write."
session = "The session is saved on every request: set SESSION_SAVE_EVERY_REQUEST = False, do not set request.session.modified where nothing changed, or use the cached_db or cache backend."
*/
WITH
    routes AS
    (
        SELECT
            service, namespace, environment, name,
            count() AS n,
            sum(weight) AS requests,
            sumMap(arrayDistinct(arrayMap(s -> s.fingerprint, arrayFilter(s -> s.is_write, statements)))
                AS written, arrayMap(f -> weight, written)) AS writes,
            argMaxIf((trace_id, entry_span_id), start_time, notEmpty(written)) AS newest
        FROM current_entries
        WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
            AND kind = 'web'
            AND startsWith(name, 'GET ')
            AND NOT partial
        GROUP BY service, namespace, environment, name
        HAVING n >= {min_entries:UInt32} AND arrayMax(writes.2) * 100 >= {min_percent:Float64} * requests
    ),
    written_by AS
    (
        SELECT *, pair.1 AS fingerprint, pair.2 AS written
        FROM routes
        ARRAY JOIN arrayFilter(
            w -> w.2 * 100 >= {min_percent:Float64} * requests, arrayZip(writes.1, writes.2)) AS pair
    )
SELECT
    newest.1 AS trace_id,
    newest.2 AS entry_span_id,
    toString(fingerprint) AS identity,
    'warning' AS severity,
    'high' AS confidence,
    toUInt32(n) AS count,
    0 AS wasted_ns,
    known.text AS statement,
    map(
        'entry', toString(name),
        'share', concat(toString(round(100 * written / requests)), ' %'),
        'entries', toString(n)) AS details,
    []::Array(String) AS missing,
    []::Array(FixedString(8)) AS span_ids,
    if(known.text ILIKE '%django_session%', 'session', 'throttle') AS suggestion,
    '' AS code_file,
    0 AS code_line,
    '' AS code_function
FROM written_by
LEFT JOIN (SELECT fingerprint, any(text) AS text FROM statements GROUP BY fingerprint) AS known
    ON known.fingerprint = written_by.fingerprint
