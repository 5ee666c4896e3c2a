/*
id = "growth"
title = "Grows with the data"
finds = "Routes and tasks whose queries grow with the rows they read, or whose rows grow from day to day."
why = """
It is fast today. With ten times the customers it needs ten times the queries, and nobody will have
changed a line.
"""
when = "(SELECT 1 FROM entries WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') AND db_max_rows > 0 GROUP BY service, namespace, environment, name HAVING count() >= {min_entries:UInt32})"
needs = ["db.response.returned_rows"]
opens_at_once = true
critical_hits_per_hour = 0
summary = "{entry} needs {what}: from {least} to {most} over {entries} runs"

[settings.window_minutes]
type = "Float64"
default = 1440
unit = "minutes"
reason = "Long enough to see pages of several sizes."

[settings.min_entries]
type = "UInt32"
default = 30
unit = "entries"
reason = "A rank correlation of fewer is often chance."

[settings.min_correlation]
type = "Float64"
default = 0.8
unit = "Spearman's rank correlation"
reason = "Nearly always more with more."

[settings.min_queries]
type = "UInt32"
default = 5
unit = "queries between the 5th and 95th percentile"
reason = "A query more or less is a branch of the code, no growth."

[settings.min_rows]
type = "UInt32"
default = 100
unit = "rows"
reason = "A listing that matters."

[settings.min_row_percent]
type = "Float64"
default = 10
unit = "% more rows within the window"
reason = "Less is what a filter or a deleted row makes."

[suggestions]
queries = "The number of queries follows the rows of the longest result: something is read once a row. Use select_related, prefetch_related or annotate, so that it stays the same."
rows = "Each day's listing is longer than the one before: give it pages (Paginator, pagination_class), or work through it with iterator(chunk_size=…)."
*/
WITH
    routes AS
    (
        SELECT
            service, namespace, environment, name,
            count() AS n,
            uniq(db_max_rows) AS sizes,
            if(sizes < 5, 0, rankCorr(db_max_rows, db_queries)) AS queries_by_rows,
            simpleLinearRegression(db_max_rows, db_queries).1 AS queries_a_row,
            quantilesExact(0.05, 0.95)(db_queries) AS query_range,
            if(sizes < 5, 0, rankCorr(toUnixTimestamp64Milli(start_time), db_max_rows)) AS rows_by_time,
            quantilesExact(0.05, 0.95)(db_max_rows) AS row_range,
            argMax((trace_id, entry_span_id), db_queries) AS most_queries,
            argMax((trace_id, entry_span_id), (db_max_rows, start_time)) AS most_rows
        FROM current_entries
        WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
            AND kind IN ('web', 'task')
            AND NOT partial
            AND NOT error
            AND db_max_rows > 0
        GROUP BY service, namespace, environment, name
        HAVING n >= {min_entries:UInt32}
    ),
    growing AS
    (
        SELECT
            *,
            arrayJoin(arrayFilter(f -> f.1 != '', [
                (
                    if(queries_by_rows > {min_correlation:Float64}
                        AND queries_a_row > 0
                        AND query_range[2] >= query_range[1] + {min_queries:UInt32}, 'queries', ''),
                    'more queries, the more rows it reads', query_range[1], query_range[2], most_queries
                ),
                (
                    if(rows_by_time > {min_correlation:Float64}
                        AND row_range[2] >= {min_rows:UInt32}
                        AND row_range[2] >= row_range[1] * (1 + {min_row_percent:Float64} / 100), 'rows', ''),
                    'more rows from hour to hour', row_range[1], row_range[2], most_rows
                )])) AS found
        FROM routes
    )
SELECT
    found.5.1 AS trace_id,
    found.5.2 AS entry_span_id,
    found.1 AS identity,
    'info' AS severity,
    'medium' AS confidence,
    toUInt32(found.4) AS count,
    0 AS wasted_ns,
    '' AS statement,
    map(
        'entry', toString(name),
        'what', found.2,
        'least', toString(found.3),
        'most', toString(found.4),
        'entries', toString(n)) AS details,
    []::Array(String) AS missing,
    []::Array(FixedString(8)) AS span_ids,
    -- 'queries' or 'rows'
    identity AS suggestion,
    '' AS code_file,
    0 AS code_line,
    '' AS code_function
FROM growing
