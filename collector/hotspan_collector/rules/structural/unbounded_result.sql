/*
id = "unbounded_result"
title = "Listing without a page"
finds = "Queries of a web request that return a thousand rows and more, unless these are read and sent bit by bit."
why = """
A page without a limit works with the data of the first month. It gets slower with every row, until it
needs more time and memory than its worker has.
"""
when = "rule_spans WHERE is_query AND returned_rows >= {min_rows:UInt64}"
needs = ["db.response.returned_rows", "code.file.path"]
opens_at_once = false
critical_hits_per_hour = 0
summary = "One query on {table} returned {rows} rows in a request"

[settings.min_rows]
type = "UInt64"
default = 1000
unit = "rows"
reason = "Nobody reads so many on a page."

[suggestions]
paginate = "Return a page of {table}: Paginator(queryset, 50), a paginator of Django REST framework (PageNumberPagination, CursorPagination), or a slice, queryset[:50]. An export reads with iterator(chunk_size=…) in a StreamingHttpResponse or a Celery task."
aggregate = "If the rows of {table} are only counted or added up, let the database do it: count(), aggregate(Sum(…)), exists(). If they are shown, return a page of them: Paginator(queryset, 50)."
*/
WITH wide AS
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
        intervalLengthSum(start_ns, end_ns) AS total_ns,
        any(db_statement) AS example,
        arraySlice(arrayMap(x -> x.2, arraySort(groupArray((start_ns, span_id)))), 1, 20) AS span_ids
    FROM rule_spans
    WHERE is_query
        AND entry_kind = 'web'
        AND returned_rows >= {min_rows:UInt64}
        AND match(db_statement, '(?i)^\\s*(/\\*.*?\\*/\\s*)*(SELECT|WITH)\\b')
        -- rows that belong to the keys of another query are as many as that has
        AND NOT match(db_statement, '(?i)\\bIN \\((%s|\\$\\d+|\\?|\\d+|\')')
        -- read bit by bit: from a server-side cursor, or for a body that is sent as it is made
        AND toUInt32OrZero(attributes['hotspan.db.fetches']) < 2
        AND (trace_id, parent_span_id) NOT IN (SELECT trace_id, span_id FROM rule_spans WHERE name = 'stream' AND kind = 'internal')
    GROUP BY trace_id, entry_span_id, db_fingerprint, code_file, code_line, code_function
)
SELECT
    trace_id,
    entry_span_id,
    toString(db_fingerprint) AS identity,
    'warning' AS severity,
    if(code_file = '', 'medium', 'high') AS confidence,
    n AS count,
    total_ns AS wasted_ns,
    normalizeQuery(replaceRegexpAll(example, '%\\(\\w+\\)s|%s|\\$\\d+|\\?|:\\w+', '1')) AS statement,
    map(
        'table', extract(example, '(?i)\\bFROM\\s+["`\\[]?([\\w.]+)'),
        'rows', toString(rows)) AS details,
    if(code_file = '', ['code.file.path'], []) AS missing,
    span_ids,
    -- one column only: keys or amounts, rather than rows that somebody reads
    if(match(example, '(?i)^\\s*SELECT (DISTINCT )?[^,]+? FROM\\b'), 'aggregate', 'paginate') AS suggestion,
    code_file,
    code_line,
    code_function
FROM wide
