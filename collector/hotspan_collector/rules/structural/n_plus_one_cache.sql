/*
id = "n_plus_one_cache"
title = "Cache keys fetched one by one"
finds = "One command after the other to Redis or memcached, for a key each."
why = """
A cache answers in a fraction of a millisecond, and then takes a round trip anyway. A hundred keys
fetched together cost about as much as one.
"""
when = "rule_groups WHERE kind = 'n_plus_one_cache'"
needs = ["code.file.path"]
opens_at_once = false
critical_hits_per_hour = 0
summary = "{count} times {command} in one {entry_kind}, {wasted} that one round trip would save"

[settings.min_count]
type = "UInt32"
default = 10
unit = "commands"
reason = "A few round trips to a cache harm nobody."

[settings.warning_count]
type = "UInt32"
default = 50
unit = "commands"
reason = "A cache in the same data centre answers in about half a millisecond: 25 ms."

[settings.critical_count]
type = "UInt32"
default = 500
unit = "commands"
reason = "A quarter of a second of nothing but round trips."

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
many = "Fetch all keys at once: cache.get_many(keys), MGET, or a pipeline for commands of other kinds."
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
    'many' AS suggestion,
    code_file,
    code_line,
    code_function
FROM rule_groups
WHERE kind = 'n_plus_one_cache' AND n >= {min_count:UInt32}
