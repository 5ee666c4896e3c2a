/*
id = "slow_query"
title = "Slow query"
finds = "A statement that is slow by itself: SELECT, INSERT, UPDATE or DELETE."
why = """
One statement that reads a whole table, sorts it on disk or waits for a lock takes as long as all
the rest of a page, and keeps the database from answering the others.
"""
when = "rule_spans WHERE is_query AND duration_ns >= least({web_ms:Float64}, {task_ms:Float64}, {command_ms:Float64}) * 1e6"
needs = ["code.file.path"]
opens_at_once = false
open_after_hits = 5
critical_hits_per_hour = 0
summary = "{wasted} in {count} slow statement(s) on {table} in one {entry_kind}"

[settings.web_ms]
type = "Float64"
default = 500
unit = "ms"
reason = "The whole budget of a page, twice over."

[settings.task_ms]
type = "Float64"
default = 2000
unit = "ms"
reason = "Nobody waits for a task, but its connection and its locks are held."

[settings.command_ms]
type = "Float64"
default = 2000
unit = "ms"
reason = "As for tasks."

[settings.critical_web_ms]
type = "Float64"
default = 5000
unit = "ms"
reason = "Proxies and users give up at about this time."

[settings.critical_task_ms]
type = "Float64"
default = 30000
unit = "ms"
reason = "Long enough to hold up everybody else who needs the table. Counts for commands, too."

[suggestions]
index = "Run EXPLAIN (ANALYZE) on it. An index on what it filters and orders by lets the database read only the rows it needs: class Meta: indexes = [models.Index(fields=[{fields}])] on the model of {table}."
search = "LIKE and ILIKE with a leading % cannot use an ordinary index: on PostgreSQL use a GIN index with gin_trgm_ops on {columns} of {table}, or SearchVectorField; or search with istartswith."
locking = "It changes or locks rows of {table}, so it may wait for another transaction: look for long transactions on {table}, keep atomic() blocks short, take locks in one order, or use select_for_update(skip_locked=True). If it does not wait, run EXPLAIN on it: an index on {columns} finds the rows."
insert = "Inserting is slow when it waits for a lock, or when triggers and many indexes work on {table}: check for both; write large sets with bulk_create(batch_size=…)."
other = "Run EXPLAIN (ANALYZE) on it: look for sequential scans and sorts of many rows on {table}; ask for fewer rows or columns, or compute it ahead of time."
*/
WITH
    slow AS
    (
        SELECT
            trace_id,
            entry_span_id,
            entry_kind,
            db_fingerprint,
            code_file,
            code_line,
            code_function,
            count() AS n,
            intervalLengthSum(start_ns, end_ns) AS total_ns,
            max(duration_ns) AS slowest_ns,
            any(db_statement) AS example,
            arraySlice(arrayMap(x -> x.2, arraySort(groupArray((start_ns, span_id)))), 1, 20) AS span_ids
        FROM rule_spans
        WHERE is_query
            AND duration_ns >= multiIf(
                entry_kind = 'web', {web_ms:Float64},
                entry_kind = 'task', {task_ms:Float64},
                {command_ms:Float64}) * 1e6
            -- maintenance takes its time
            AND NOT match(db_statement, '(?i)^\\s*(CREATE|ALTER|DROP|TRUNCATE|VACUUM|ANALYZE|REINDEX|REFRESH|CLUSTER|COPY|LISTEN)\\b')
        GROUP BY ALL
    ),
    shaped AS
    (
        SELECT
            *,
            extract(example, '(?i)\\b(?:FROM|UPDATE|INTO)\\s+["`\\[]?([\\w.]+)') AS table,
            arraySlice(arrayDistinct(extractAll(
                extract(example, '(?is)\\bWHERE\\b(.*)'),
                '(?i)(?:\\.|\\b)["`]?(\\w+)["`]?(?:::\\w+)?\\)?\\s*(?:=|<|>|IN\\b|BETWEEN\\b|I?LIKE\\b|IS\\b)')), 1, 4) AS filtered,
            arraySlice(extractAll(
                extract(example, '(?is)\\bORDER BY\\b(.*)'),
                '["`](\\w+)["`](?:\\s+(?:ASC|DESC))?\\s*(?:,|$|LIMIT)'), 1, 2) AS ordered,
            arrayDistinct(arrayConcat(filtered, ordered)) AS columns
        FROM slow
    )
SELECT
    trace_id,
    entry_span_id,
    toString(db_fingerprint) AS identity,
    if(slowest_ns >= if(entry_kind = 'web', {critical_web_ms:Float64}, {critical_task_ms:Float64}) * 1e6, 'critical', 'warning') AS severity,
    if(code_file = '', 'medium', 'high') AS confidence,
    n AS count,
    total_ns AS wasted_ns,
    normalizeQuery(replaceRegexpAll(example, '%\\(\\w+\\)s|%s|\\$\\d+|\\?|:\\w+', '1')) AS statement,
    map(
        'table', table,
        'columns', if(empty(columns), 'its columns', arrayStringConcat(columns, ', ')),
        'fields', arrayStringConcat(arrayMap(c -> concat('"', c, '"'), columns), ', '),
        'entry_kind', if(entry_kind = 'web', 'request', entry_kind),
        'slowest_ms', toString(round(slowest_ns / 1e6, 1))) AS details,
    if(code_file = '', ['code.file.path'], []) AS missing,
    span_ids,
    multiIf(
        match(example, '(?i)^\\s*INSERT\\b'), 'insert',
        match(example, '(?i)^\\s*(UPDATE|DELETE|LOCK|MERGE)\\b|\\bFOR (NO KEY )?(UPDATE|SHARE)\\b'), 'locking',
        match(example, '(?i)\\bI?LIKE\\b'), 'search',
        notEmpty(columns), 'index',
        'other') AS suggestion,
    code_file,
    code_line,
    code_function
FROM shaped
