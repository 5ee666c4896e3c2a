/*
id = "query_budget"
title = "Too many queries"
finds = "Routes and tasks that run more queries than their budget."
why = """
Each query is a round trip, whatever it asks. A page that needs forty of them is slow on the day the
database is busy, even if none is an N+1.
"""
when = "(SELECT 1 FROM entries WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') GROUP BY service, namespace, environment, name HAVING count() >= {min_entries:UInt32})"
needs = []
opens_at_once = true
critical_hits_per_hour = 0
summary = "{p95} queries in 95 of 100 runs of {entry}, budget {budget}, over {entries} runs"

[settings.window_minutes]
type = "Float64"
default = 60
unit = "minutes"
reason = "Long enough for routes that are called now and then."

[settings.min_entries]
type = "UInt32"
default = 20
unit = "entries"
reason = "Fewer do not tell what is usual."

[settings.detail_budget]
type = "UInt32"
default = 5
unit = "queries"
reason = "A page about one object: the object, its user, its session, and two more."

[settings.listing_budget]
type = "UInt32"
default = 10
unit = "queries"
reason = "Any other page."

[settings.task_budget]
type = "UInt32"
default = 50
unit = "queries"
reason = "A task, where nobody waits."

[suggestions]
page = "Look at the trace: which statements repeat (N+1, duplicates), which could be one query (select_related, prefetch_related, annotate), and which answer the same for everybody (cache)."
task = "Work on many rows at once: bulk_create, bulk_update, in_bulk, iterator(chunk_size=…) with prefetch_related."
*/
WITH routes AS
(
    SELECT
        service, namespace, environment, kind, name,
        count() AS n,
        quantileExactWeighted(0.95)(db_queries, toUInt64(round(weight))) AS p95,
        -- a route that ends in a converter is about one object
        multiIf(
            kind = 'task', {task_budget:UInt32},
            match(name, '(<[^>]+>|\\))/?\\$?$'), {detail_budget:UInt32},
            {listing_budget:UInt32}) AS budget,
        argMax((trace_id, entry_span_id, db_time_ns), db_queries) AS worst
    FROM current_entries
    WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
        AND kind IN ('web', 'task')
        AND NOT partial
    GROUP BY service, namespace, environment, kind, name
    HAVING n >= {min_entries:UInt32} AND p95 >= budget
)
SELECT
    worst.1 AS trace_id,
    worst.2 AS entry_span_id,
    '' AS identity,
    if(p95 >= 5 * budget, 'warning', 'info') AS severity,
    'high' AS confidence,
    toUInt32(p95) AS count,
    worst.3 AS wasted_ns,
    '' AS statement,
    map(
        'entry', name,
        'p95', toString(p95),
        'budget', toString(budget),
        'entries', toString(n)) AS details,
    []::Array(String) AS missing,
    []::Array(FixedString(8)) AS span_ids,
    if(kind = 'task', 'task', 'page') AS suggestion,
    '' AS code_file,
    0 AS code_line,
    '' AS code_function
FROM routes
