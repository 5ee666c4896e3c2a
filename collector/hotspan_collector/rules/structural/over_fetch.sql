/*
id = "over_fetch"
title = "Wide rows"
finds = "Queries that return many columns of many rows."
why = """
Each column of each row is read, sent, decoded and made part of a model instance. A few text columns
that nobody looks at are most of the time and memory of such a query.
"""
when = "rule_spans WHERE is_query AND returned_rows >= {min_rows:UInt64}"
needs = ["db.response.returned_rows", "code.file.path"]
opens_at_once = false
critical_hits_per_hour = 0
summary = "{columns} columns of {rows} rows of {table} in one query"

[settings.min_columns]
type = "UInt32"
default = 20
unit = "columns"
reason = "Few pages show so many."

[settings.min_rows]
type = "UInt64"
default = 100
unit = "rows"
reason = "Wide rows cost by their number."

[settings.warning_values]
type = "UInt64"
default = 20000
unit = "columns x rows"
reason = "About 20 ms of decoding and building model instances."

[suggestions]
narrow = "Ask for the columns that are used: only(\"…\") or values_list(\"…\") on the queryset of {table}, or defer() its large text and JSON fields ({columns} columns of {rows} rows now); in a prefetch: Prefetch(\"…\", queryset=….only(…))."
joined = "select_related() loads every column of each joined model: name the columns that are used, only(\"name\", \"relation__name\"), on the queryset of {table} ({columns} columns of {rows} rows now)."
*/
WITH
    candidates AS
    (
        SELECT
            *,
            -- without texts, and without the brackets of functions and subqueries, which hold commas
            replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(db_statement,
                '\'[^\']*\'', ''), '\\([^()]*\\)', ''), '\\([^()]*\\)', ''), '\\([^()]*\\)', '') AS flat
        FROM rule_spans
        WHERE is_query
            AND returned_rows >= {min_rows:UInt64}
            AND match(db_statement, '(?i)^\\s*(/\\*.*?\\*/\\s*)*SELECT\\b')
    ),
    wide AS
    (
        SELECT
            trace_id,
            entry_span_id,
            db_fingerprint,
            code_file,
            code_line,
            code_function,
            count() AS n,
            max(returned_rows) AS rows,
            any(countSubstrings(extract(flat, '(?is)^\\s*(?:/\\*.*?\\*/\\s*)*SELECT\\s+(.*?)\\s+FROM\\b'), ',') + 1) AS columns,
            intervalLengthSum(start_ns, end_ns) AS total_ns,
            any(db_statement) AS example,
            arraySlice(arrayMap(x -> x.2, arraySort(groupArray((start_ns, span_id)))), 1, 20) AS span_ids
        FROM candidates
        GROUP BY trace_id, entry_span_id, db_fingerprint, code_file, code_line, code_function
        HAVING columns >= {min_columns:UInt32}
    )
SELECT
    trace_id,
    entry_span_id,
    toString(db_fingerprint) AS identity,
    if(columns * rows >= {warning_values:UInt64}, 'warning', 'info') AS severity,
    if(code_file = '', 'medium', 'high') AS confidence,
    n AS count,
    total_ns AS wasted_ns,
    normalizeQuery(replaceRegexpAll(example, '%\\(\\w+\\)s|%s|\\$\\d+|\\?|:\\w+', '1')) AS statement,
    map(
        'table', extract(example, '(?i)\\bFROM\\s+["`\\[]?([\\w.]+)'),
        'columns', toString(columns),
        'rows', toString(rows)) AS details,
    if(code_file = '', ['code.file.path'], []) AS missing,
    span_ids,
    if(match(example, '(?i)\\bJOIN\\b'), 'joined', 'narrow') AS suggestion,
    code_file,
    code_line,
    code_function
FROM wide
