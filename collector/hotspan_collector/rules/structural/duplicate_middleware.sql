/*
id = "duplicate_middleware"
title = "Middleware installed twice"
finds = "A middleware that stands in MIDDLEWARE more than once."
why = """
It runs twice in every request: what it reads is read twice, what it counts is counted twice.
"""
about = "service"
when = "rule_spans WHERE is_entry AND attributes['hotspan.django.middleware_duplicates'] != ''"
needs = ["hotspan.django.middleware_duplicates"]
opens_at_once = false
critical_hits_per_hour = 0
summary = "{names} stands in MIDDLEWARE more than once"

[suggestions]
remove = "Remove one of the two lines of {names} from MIDDLEWARE in the settings; look into the settings files that extend it, too."
*/
WITH duplicates AS
(
    SELECT
        trace_id,
        entry_span_id,
        span_id,
        -- a list is kept as the bytes that came
        arraySort(arrayDistinct(extractAll(attributes['hotspan.django.middleware_duplicates'], '[A-Za-z_][\\w.]*\\w'))) AS names
    FROM rule_spans
    WHERE is_entry AND attributes['hotspan.django.middleware_duplicates'] != ''
)
SELECT
    trace_id,
    entry_span_id,
    arrayStringConcat(names, ',') AS identity,
    'warning' AS severity,
    'high' AS confidence,
    length(names) AS count,
    toUInt64(0) AS wasted_ns,
    '' AS statement,
    map(
        'names', arrayStringConcat(names, ', ')) AS details,
    []::Array(String) AS missing,
    [span_id] AS span_ids,
    'remove' AS suggestion,
    '' AS code_file,
    0 AS code_line,
    '' AS code_function
FROM duplicates
WHERE notEmpty(names)
