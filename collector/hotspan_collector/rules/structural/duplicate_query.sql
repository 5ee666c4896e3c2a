/*
id = "duplicate_query"
title = "The same query again"
finds = "The same SELECT with the same parameters again, with nothing written in between; also count() and then the list itself."
why = """
The answer is known already. Each repetition is a round trip that returns what the process has in its
memory.
"""
when = "rule_groups WHERE kind = 'duplicate_query'"
needs = ["hotspan.db.param_hash", "hotspan.orm.source_key", "code.file.path"]
opens_at_once = false
critical_hits_per_hour = 0
summary = "{count} times the same answer from {table} in one {entry_kind}, {wasted} that keeping it would save"

[settings.min_count]
type = "UInt32"
default = 2
unit = "queries"
reason = "Once would have been enough."

[settings.warning_count]
type = "UInt32"
default = 5
unit = "queries"
reason = "Two may be an accident of two modules, five are a habit."

[settings.warning_ms]
type = "Float64"
default = 20
unit = "ms wasted"
reason = "A tenth of a page's budget of 200 ms."

[suggestions]
count = "The rows of {table} are counted and then read: read them once, and take len() of the evaluated queryset."
rows = "Keep the result: pass on the object or the evaluated list, or make it a cached_property of what asks for it. What is the same for every request belongs into the cache."
*/
SELECT
    trace_id,
    entry_span_id,
    identity,
    multiIf(
        wasted_ns >= {warning_ms:Float64} * 1e6 OR n >= {warning_count:UInt32}, 'warning',
        'info') AS severity,
    confidence,
    n AS count,
    wasted_ns,
    statement,
    details,
    missing,
    span_ids,
    if(shape = 'count', 'count', 'rows') AS suggestion,
    code_file,
    code_line,
    code_function
FROM rule_groups
WHERE kind = 'duplicate_query' AND n >= {min_count:UInt32}
