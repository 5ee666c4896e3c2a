-- name: newest_current
-- The newest finding of each fingerprint that counts.
SELECT *
FROM current_findings
WHERE fingerprint IN {fingerprints:Array(String)}
    AND entry_start >= fromUnixTimestamp64Nano({since_ns:Int64}, 'UTC')
ORDER BY entry_start DESC, wasted_ns DESC
LIMIT 1 BY fingerprint

-- name: newest_of_any
-- The newest finding of each fingerprint, whether it still counts or not.
SELECT
    *,
    lower(hex(trace_id)) AS trace_id_hex,
    lower(hex(entry_span_id)) AS entry_span_id_hex,
    arrayMap(id -> lower(hex(id)), span_ids) AS span_ids_hex
FROM (SELECT * FROM findings UNION ALL SELECT * EXCEPT (role, pinned_at) FROM pinned_findings)
WHERE fingerprint IN {fingerprints:Array(String)}
ORDER BY entry_start DESC, generation DESC
LIMIT 1 BY fingerprint

-- name: occurrences
-- The entries in which a violation was found, newest first, each at its worst place. The inner query
-- bounds the time.
SELECT *, toUnixTimestamp64Nano(entry_start) AS entry_start_ns
FROM known_findings
WHERE fingerprint = {fingerprint:String}
    AND entry_start >= (
        SELECT min(entry_start)
        FROM
        (
            SELECT entry_start
            FROM findings
            WHERE fingerprint = {fingerprint:String}
            ORDER BY entry_start DESC
            LIMIT {candidates:UInt32}
        ))
ORDER BY entry_start DESC, wasted_ns DESC
LIMIT 1 BY trace_id, entry_span_id
LIMIT {limit:UInt32}
