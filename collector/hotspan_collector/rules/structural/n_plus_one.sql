/*
id = "n_plus_one"
title = "N+1 queries"
finds = "The same SELECT, once for each row of something."
why = """
A page that runs one query a row gets slower with every row that is added: each query waits for a
round trip to the database, and no index helps. One query that joins, or two that prefetch, return
the same rows.
"""
needs = ["hotspan.db.param_hash", "hotspan.orm.relation", "code.file.path"]
opens_at_once = false
critical_hits_per_hour = 0
summary = "{count} times the same query on {table} in one {entry_kind}, {wasted} that one query would save"

[settings.min_count]
type = "UInt32"
default = 5
unit = "queries"
reason = "Fewer are rarely worth a change."

[settings.warning_count]
type = "UInt32"
default = 15
unit = "queries"
reason = "A development database answers at once: the number says it before the time does."

[settings.critical_count]
type = "UInt32"
default = 50
unit = "queries"
reason = "At 2 ms a round trip this is a tenth of a second, growing with the data."

[settings.warning_ms]
type = "Float64"
default = 20
unit = "ms wasted"
reason = "A tenth of a page's budget of 200 ms."

[settings.critical_ms]
type = "Float64"
default = 200
unit = "ms wasted"
reason = "The whole budget of a page."

[suggestions]
forward = "Load {table} together with the rows that point to it: select_related(\"…\") with the name of the foreign key to {table} on the queryset that the loop walks. If the loop calls get(pk) itself, fetch all keys at once with in_bulk()."
reverse = "Load the {table} rows of all objects at once: prefetch_related(\"…\") with the related name of {table}.{column} on the queryset that the loop walks; a filter on them goes into Prefetch(queryset=…)."
many_to_many = "Load the {table} rows of all objects at once: prefetch_related(\"…\") with the name of the many-to-many field on the queryset that the loop walks."
count = "Count in the query that loads the objects: annotate(Count(\"…\")) instead of .count() or len() on each; for {table}."
aggregate = "Compute it in the query that loads the objects: annotate(Sum(\"…\")) or a Subquery instead of one aggregate query on {table} for each."
exists = "Ask once for all objects: annotate(Exists(…)), or load the keys of {table} into a set, instead of .exists() on each."
other = "Run it once for all rows, before the loop: one query on {table} with an IN list, and a dict by key; select_related() or prefetch_related() where it follows a relation."
*/
WITH
    -- what a statement is, told by its shape
    '%\\(\\w+\\)s|%s|\\$\\d+|\\?|:\\w+' AS placeholder,
    repeated AS
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
            max(duration_ns) AS longest_ns,
            any(db_statement) AS example,
            uniqExact(db_statement) AS texts,
            arraySlice(arrayMap(x -> x.2, arraySort(groupArray((start_ns, span_id)))), 1, 20) AS span_ids
        FROM rule_spans
        WHERE is_query AND match(db_statement, '(?i)^\\s*(/\\*.*?\\*/\\s*)*SELECT\\b')
        GROUP BY ALL
        HAVING n >= {min_count:UInt32}
    ),
    shaped AS
    (
        SELECT
            *,
            total_ns - least(longest_ns, total_ns) AS wasted_ns,
            match(example, placeholder) AS parameterised,
            -- One query for a list of keys, again for the next list: chunks, as they should be.
            match(example, '(?i)\\bIN \\([^()]+,')
                AND NOT match(example, concat('(?i)(=|<|>|LIKE)\\s*(', placeholder, '|\\d|\')')) AS chunked,
            extract(example, '(?i)\\bFROM\\s+["`\\[]?([\\w.]+)') AS table,
            extract(example, '(?is)\\bWHERE\\b.*?["`\\]]?(\\w+)["`\\]]?\\s*=\\s*') AS column
        FROM repeated
    )
SELECT
    trace_id,
    entry_span_id,
    toString(db_fingerprint) AS identity,
    multiIf(
        wasted_ns >= {critical_ms:Float64} * 1e6 OR n >= {critical_count:UInt32}, 'critical',
        wasted_ns >= {warning_ms:Float64} * 1e6 OR n >= {warning_count:UInt32}, 'warning',
        'info') AS severity,
    -- Literals in the text tell that the keys differ; placeholders hide it.
    if(texts >= {min_count:UInt32}, 'high', 'medium') AS confidence,
    n AS count,
    wasted_ns,
    normalizeQuery(replaceRegexpAll(example, placeholder, '1')) AS statement,
    map(
        'table', table,
        'column', column,
        'entry_kind', if(entry_kind = 'web', 'request', entry_kind),
        'queries', toString(n),
        'total_ms', toString(round(total_ns / 1e6, 3)),
        'mean_ms', toString(round(total_ns / n / 1e6, 3))) AS details,
    arrayFilter(x -> x != '', [
        'hotspan.db.param_hash',
        'hotspan.orm.relation',
        if(code_file = '', 'code.file.path', '')]) AS missing,
    span_ids,
    multiIf(
        match(example, '(?i)^\\s*SELECT\\s+COUNT\\('), 'count',
        match(example, '(?i)^\\s*SELECT\\s+(COALESCE\\(\\s*)?\\(?(SUM|AVG|MIN|MAX)\\('), 'aggregate',
        match(example, '(?i)^\\s*SELECT\\s+(1|\\(1\\)|%s) AS "a"'), 'exists',
        match(example, '(?i)\\bJOIN\\b') AND match(column, '_id$'), 'many_to_many',
        match(example, '(?is)\\bWHERE\\s+\\(?\\s*["`]?\\w+["`]?\\.["`]?id["`]?\\s*='), 'forward',
        match(column, '_id$'), 'reverse',
        'other') AS suggestion,
    code_file,
    code_line,
    code_function
FROM shaped
WHERE (parameterised OR texts > 1) AND NOT chunked
