-- name: newest_counted
-- The finding of each fingerprint by which it was last seen: the evaluator has told that it counts.
SELECT
    fingerprint, rule, service, entry_name, statement, details, missing, suggestion,
    code_file, code_line, code_function,
    lower(hex(trace_id)) AS trace_id_hex,
    lower(hex(entry_span_id)) AS entry_span_id_hex,
    arrayMap(id -> lower(hex(id)), span_ids) AS span_ids_hex
FROM findings
WHERE (fingerprint, toUnixTimestamp64Milli(entry_start)) IN (
    SELECT seen.1, seen.2
    FROM (SELECT arrayJoin(arrayZip({fingerprints:Array(String)}, {last_seen_ms:Array(Int64)})) AS seen))
ORDER BY entry_start DESC, generation DESC, wasted_ns DESC
LIMIT 1 BY fingerprint

-- name: newest_of_any
-- The newest finding of each fingerprint, whether it still counts or not.
SELECT
    fingerprint, rule, service, entry_name, statement, details, missing, suggestion,
    code_file, code_line, code_function,
    lower(hex(trace_id)) AS trace_id_hex,
    lower(hex(entry_span_id)) AS entry_span_id_hex,
    arrayMap(id -> lower(hex(id)), span_ids) AS span_ids_hex
FROM (SELECT * FROM findings UNION ALL SELECT * EXCEPT (role, pinned_at) FROM pinned_findings)
WHERE fingerprint IN {fingerprints:Array(String)}
ORDER BY entry_start DESC, generation DESC
LIMIT 1 BY fingerprint

-- name: occurrences
-- The entries in which a violation was found, newest first, each at its worst place. Of the newest
-- findings those count that are of the latest evaluation of their entry.
WITH newest AS
(
    SELECT
        trace_id, entry_span_id, entry_start, entry_duration_ns, count, wasted_ns, version,
        service, generation
    FROM findings
    WHERE fingerprint = {fingerprint:String}
    ORDER BY entry_start DESC
    LIMIT {candidates:UInt32}
)
SELECT
    lower(hex(trace_id)) AS trace_id_hex,
    lower(hex(entry_span_id)) AS entry_span_id_hex,
    toUnixTimestamp64Nano(entry_start) AS entry_start_ns,
    entry_duration_ns, count, wasted_ns, version
FROM
(
    SELECT * EXCEPT (service, generation)
    FROM newest
    WHERE (trace_id, entry_span_id, generation) IN (
        SELECT trace_id, entry_span_id, generation
        FROM entries FINAL
        WHERE deleted = 0
            AND (service, toStartOfFiveMinutes(start_time), trace_id) IN (
                SELECT service, toStartOfFiveMinutes(entry_start), trace_id FROM newest))
    UNION ALL
    SELECT trace_id, entry_span_id, entry_start, entry_duration_ns, count, wasted_ns, version
    FROM pinned_findings FINAL
    WHERE fingerprint = {fingerprint:String}
)
ORDER BY entry_start DESC, wasted_ns DESC
LIMIT 1 BY trace_id, entry_span_id
LIMIT {limit:UInt32}
