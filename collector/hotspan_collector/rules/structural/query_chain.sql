/*
id = "query_chain"
title = "Walking up, query by query"
finds = "A walk from row to row, where each query's key comes from the row before: account.parent.parent."
why = """
Each step waits for the one before, so a tree twice as deep takes twice as long, for every leaf.
select_related does not help where the depth has no bound.
"""
when = "rule_groups WHERE kind = 'query_chain'"
needs = ["hotspan.orm.relation", "hotspan.orm.source_key", "hotspan.orm.target_key", "code.file.path"]
opens_at_once = false
critical_hits_per_hour = 0
summary = "{count} queries on {table} to walk along {relation}, up to {depth} steps at a time, in one {entry_kind}; {wasted} that one query would save"

[settings.min_steps]
type = "UInt32"
default = 3
unit = "steps"
reason = "Two steps are what select_related(\"parent__parent\") is for."

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
tree = "Walk within one query: a recursive CTE, a tree package (django-treebeard, django-tree-queries), or the path stored in {table}. Where all of {table} is small, load it once and walk through a dict by key. select_related(\"{relation}__{relation}\") only where the depth is bounded."
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
    'tree' AS suggestion,
    code_file,
    code_line,
    code_function
FROM rule_groups
WHERE kind = 'query_chain' AND steps >= {min_steps:UInt32}
