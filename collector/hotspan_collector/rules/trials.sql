-- name: slices
-- Five minutes each: how much there is to look at.
SELECT
    toUnixTimestamp(toStartOfFiveMinutes(start_time)) * 1000 AS begin_ms,
    count() AS entries,
    sum(spans) AS spans
FROM current_entries
WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
GROUP BY begin_ms
ORDER BY begin_ms

-- name: traces_of_slice
INSERT INTO tick_traces
SELECT DISTINCT trace_id
FROM current_entries
WHERE start_time >= fromUnixTimestamp64Milli({begin_ms:Int64}, 'UTC')
    AND start_time < fromUnixTimestamp64Milli({end_ms:Int64}, 'UTC')

-- name: entries_of_slice
INSERT INTO rule_entries
SELECT * FROM tick_entries
WHERE start_time >= fromUnixTimestamp64Milli({begin_ms:Int64}, 'UTC')
    AND start_time < fromUnixTimestamp64Milli({end_ms:Int64}, 'UTC')

-- name: found
-- What a rule has found, with the entry it was found in.
SELECT
    found.severity AS severity, found.confidence AS confidence,
    found.count AS count, found.wasted_ns AS wasted_ns, found.statement AS statement,
    found.details AS details, found.suggestion AS suggestion,
    found.code_file AS code_file, found.code_line AS code_line, found.code_function AS code_function,
    lower(hex(found.trace_id)) AS trace_id, lower(hex(found.entry_span_id)) AS entry_span_id,
    entry.service AS service, entry.environment AS environment, entry.name AS entry_name
FROM {found} AS found
INNER JOIN (SELECT * FROM {entries}) AS entry
    ON entry.trace_id = found.trace_id AND entry.entry_span_id = found.entry_span_id
WHERE found.rule = {rule:String}
ORDER BY found.wasted_ns DESC, found.trace_id, found.entry_span_id
