/*
id = "n_plus_one"
title = "N+1 queries"
finds = "The same SELECT, once for each row of something."
why = """
A page that runs one query a row gets slower with every row that is added: each query waits for a
round trip to the database, and no index helps. One query that joins, or two that prefetch, return
the same rows.
"""
when = "rule_groups WHERE kind = 'n_plus_one'"
needs = ["hotspan.db.param_hash", "hotspan.orm.relation", "hotspan.orm.source_key", "code.file.path"]
opens_at_once = false
critical_hits_per_hour = 0
summary = "{count} times the same query on {table} in one {entry_kind}, {wasted} that one query would save"

[settings.min_count]
type = "UInt32"
default = 5
unit = "instances"
reason = "Fewer are rarely worth a change. Counted are the objects that it is loaded for, or different parameters; on stock spans, which tell neither, queries."

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
forward_known = "Load {relation} together with {owner}: select_related(\"{relation}\") on the queryset that the loop walks, or, from Django 6.1, fetch_mode(FETCH_PEERS)."
reverse = "Load the {table} rows of all objects at once: prefetch_related(\"…\") with the related name of {table}.{column} on the queryset that the loop walks; a filter on them goes into Prefetch(queryset=…)."
many_to_many = "Load the {table} rows of all objects at once: prefetch_related(\"…\") with the name of the many-to-many field on the queryset that the loop walks."
prefetch_known = "Load {relation} of all objects at once: prefetch_related(\"{relation}\") on the queryset of {owner} that the loop walks; a filter on them goes into Prefetch(\"{relation}\", queryset=…)."
count = "Count in the query that loads the objects: annotate(Count(\"…\")) instead of .count() or len() on each; for {table}."
count_known = "Count in the query that loads {owner}: annotate(Count(\"{relation}\")) instead of .count() on each."
aggregate = "Compute it in the query that loads the objects: annotate(Sum(\"…\")) or a Subquery instead of one aggregate query on {table} for each."
aggregate_known = "Compute it in the query that loads {owner}: annotate(Sum(\"{relation}__…\")) or a Subquery instead of one aggregate query for each."
exists = "Ask once for all objects: annotate(Exists(…)), or load the keys of {table} into a set, instead of .exists() on each."
by_key = "The loop fetches {table} by key, one at a time: fetch all at once with in_bulk() before it, and look up in the dict."
other = "Run it once for all rows, before the loop: one query on {table} with an IN list, and a dict by key; select_related() or prefetch_related() where it follows a relation."
*/
SELECT
    trace_id,
    entry_span_id,
    identity,
    multiIf(
        wasted_ns >= {critical_ms:Float64} * 1e6 OR n >= {critical_count:UInt32}, 'critical',
        wasted_ns >= {warning_ms:Float64} * 1e6 OR n >= {warning_count:UInt32}, 'warning',
        'info') AS severity,
    confidence,
    n AS count,
    wasted_ns,
    statement,
    details,
    missing,
    span_ids,
    multiIf(
        shape = 'count', if(relation = '', 'count', 'count_known'),
        shape = 'aggregate', if(relation = '', 'aggregate', 'aggregate_known'),
        shape = 'exists', 'exists',
        follows = 'forward' AND relation != '', 'forward_known',
        relation != '', 'prefetch_known',
        -- The enrichment would have told the relation, if there were one.
        follows = 'forward' AND NOT has(missing, 'hotspan.orm.relation'), 'by_key',
        follows != '', follows,
        'other') AS suggestion,
    code_file,
    code_line,
    code_function
FROM rule_groups
WHERE kind = 'n_plus_one' AND instances >= {min_count:UInt32}
