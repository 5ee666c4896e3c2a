-- name: period
-- From the first span to the end of the last one.
SELECT
    toInt64(ifNull(toUnixTimestamp64Milli(max(addNanoseconds(start_time, duration_ns))), 0)) + 1 AS ended_ms,
    ceil((ended_ms - ifNull(toUnixTimestamp64Milli(min(start_time)), 0)) / 60000) + 1 AS minutes
FROM spans

-- name: findings
SELECT *
FROM current_findings
ORDER BY severity DESC, wasted_ns DESC, rule, entry_start, trace_id, identity, code_line
