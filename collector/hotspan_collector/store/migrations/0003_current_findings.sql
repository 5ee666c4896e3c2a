-- The findings that count: those of the latest evaluation of an entry that still is one. Ids are
-- also given as hex (`…_hex`). Filter by `entry_start`, which bounds both sides of the join, and by
-- `fingerprint` or `trace_id`: without a bound this reads everything.
CREATE VIEW IF NOT EXISTS current_findings AS
SELECT
    f.*,
    lower(hex(f.trace_id)) AS trace_id_hex,
    lower(hex(f.entry_span_id)) AS entry_span_id_hex,
    arrayMap(id -> lower(hex(id)), f.span_ids) AS span_ids_hex
FROM findings AS f FINAL
INNER JOIN
(
    SELECT start_time, trace_id, entry_span_id, generation
    FROM entries FINAL
    WHERE deleted = 0
) AS e
ON f.entry_start = e.start_time
    AND f.trace_id = e.trace_id
    AND f.entry_span_id = e.entry_span_id
    AND f.generation = e.generation;
