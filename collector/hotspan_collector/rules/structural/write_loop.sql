/*
id = "write_loop"
title = "Rows written one by one"
finds = "INSERT, UPDATE or DELETE, one row at a time."
why = """
Each row costs a round trip, and outside a transaction a commit. A thousand rows in one statement
take about as long as ten one by one.
"""
when = "rule_groups WHERE kind = 'write_loop'"
needs = ["code.file.path"]
opens_at_once = false
critical_hits_per_hour = 0
summary = "{count} times the same write to {table} in one {entry_kind}, {wasted} that one statement would save"

[settings.min_count]
type = "UInt32"
default = 5
unit = "statements"
reason = "Fewer are rarely worth a change."

[settings.warning_count]
type = "UInt32"
default = 15
unit = "statements"
reason = "A development database answers at once: the number says it before the time does."

[settings.critical_count]
type = "UInt32"
default = 50
unit = "statements"
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
insert = "Collect the {table} rows and write them together: bulk_create(objects, batch_size=…), with update_conflicts or ignore_conflicts where rows may exist; add(*objects) for a many-to-many field."
update = "Change the {table} rows together: bulk_update(objects, fields, batch_size=…), or one update() with F() expressions or a Subquery where the new value follows from the row."
delete = "Delete the {table} rows together: filter({column}__in=…).delete() instead of delete() on each."
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
    shape AS suggestion,
    code_file,
    code_line,
    code_function
FROM rule_groups
WHERE kind = 'write_loop' AND n >= {min_count:UInt32}
