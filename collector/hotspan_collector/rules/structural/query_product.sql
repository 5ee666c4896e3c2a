/*
id = "query_product"
title = "A query for each pair"
finds = "Nested loops over two sets with one query in the middle, for example warehouses and variants."
why = """
The number of queries is the product of both sets: it grows with each of them, and doubles twice when
both double.
"""
when = "rule_groups WHERE kind = 'query_product'"
needs = ["hotspan.db.param_hashes", "hotspan.db.param_hash", "hotspan.orm.source_key", "code.file.path"]
opens_at_once = false
critical_hits_per_hour = 0
summary = "{count} queries on {table} in one {entry_kind}, one for each pair of {outer} and {inner} values; {wasted} that one query would save"

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
pairs = "One query over both sets of keys, filter({column}__in=…, …__in=…), and a dict by pair; or let the database do it in the query that loads one of the sets: annotate() with a Subquery."
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
    'pairs' AS suggestion,
    code_file,
    code_line,
    code_function
FROM rule_groups
WHERE kind = 'query_product' AND n >= {min_count:UInt32}
