/*
id = "instrumentation_gap"
title = "Something is not seen"
finds = "Services without database spans, entries whose spans are missing or were dropped, and sampled traces."
why = """
A rule cannot find what does not arrive. Silence of a service that is half instrumented is no good
news.
"""
when = "(SELECT 1 FROM entries WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') GROUP BY service, namespace, environment HAVING count() >= {min_entries:UInt32} OR max(partial) OR max(weight) > 1 OR max(counters['hotspan.spans_dropped']) > 0)"
needs = ["hotspan.spans_dropped"]
about = "service"
opens_at_once = true
critical_hits_per_hour = 0
summary = "{what}: {affected} of {entries} entries of {service}"

[settings.window_minutes]
type = "Float64"
default = 60
unit = "minutes"
reason = "Long enough for each service to have been asked."

[settings.min_entries]
type = "UInt32"
default = 20
unit = "entries"
reason = "So many without one statement, and it is likely that statements are not recorded."

[settings.warning_percent]
type = "Float64"
default = 5
unit = "% of the entries"
reason = "So many incomplete ones make numbers wrong."

[suggestions]
database = "{service} sends no database spans: install the instrumentation of its driver (psycopg, mysqlclient, sqlite3, …) and run `python -m hotspan_instrumentation doctor`. When it uses no database, disable this rule for it."
orphans = "Entries without their own span: the process was killed before it sent it (gunicorn's --timeout, an out-of-memory kill, os._exit of a prefork child), or a proxy in between is not instrumented. Install the hotspan distro, which flushes at every exit."
dropped = "The process made more spans than it could send: raise OTEL_BSP_MAX_QUEUE_SIZE, lower OTEL_BSP_SCHEDULE_DELAY, and first of all mend what makes thousands of spans in one entry."
sampled = "Only some traces are sent. Rules that count entries weigh them by the sampling probability; problems that are rare may be missed. Send all traces (OTEL_TRACES_SAMPLER=always_on) while you look for one."
*/
WITH
    services AS
    (
        SELECT
            service, namespace, environment,
            count() AS n,
            sum(db_queries) AS queries,
            countIf(partial) AS orphans,
            countIf(counters['hotspan.spans_dropped'] > 0) AS dropped,
            countIf(weight > 1) AS sampled,
            argMax((trace_id, entry_span_id), start_time) AS newest,
            argMaxIf((trace_id, entry_span_id), start_time, partial) AS newest_orphan,
            argMaxIf((trace_id, entry_span_id), start_time, counters['hotspan.spans_dropped'] > 0) AS newest_dropped,
            argMaxIf((trace_id, entry_span_id), start_time, weight > 1) AS newest_sampled
        FROM current_entries
        WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
        GROUP BY service, namespace, environment
    ),
    gaps AS
    (
        SELECT
            *,
            arrayJoin(arrayFilter(g -> g.3 > 0, [
                ('database', 'No database spans', if(queries = 0 AND n - orphans >= {min_entries:UInt32}, n, 0), newest),
                ('orphans', 'Their own span is missing', orphans, newest_orphan),
                ('dropped', 'Spans were dropped by the process', dropped, newest_dropped),
                ('sampled', 'Traces are sampled', sampled, newest_sampled)])) AS gap
        FROM services
    )
SELECT
    gap.4.1 AS trace_id,
    gap.4.2 AS entry_span_id,
    gap.1 AS identity,
    if(gap.1 IN ('orphans', 'dropped') AND 100 * gap.3 >= {warning_percent:Float64} * n, 'warning', 'info') AS severity,
    -- there are services without a database
    if(gap.1 = 'database', 'low', 'high') AS confidence,
    toUInt32(gap.3) AS count,
    0 AS wasted_ns,
    '' AS statement,
    map(
        'what', gap.2,
        'affected', toString(gap.3),
        'entries', toString(n)) AS details,
    []::Array(String) AS missing,
    []::Array(FixedString(8)) AS span_ids,
    -- 'database', 'orphans', 'dropped' or 'sampled'
    identity AS suggestion,
    '' AS code_file,
    0 AS code_line,
    '' AS code_function
FROM gaps
