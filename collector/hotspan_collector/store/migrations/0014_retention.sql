-- Stores from before have spans of all retentions in one partition, which goes with the last of them.
ALTER TABLE spans ADD COLUMN IF NOT EXISTS retention_days UInt16 CODEC(ZSTD(1));

-- What shows that a violation is one, kept as long as the violation: its newest and its worst finding,
-- and their traces. Columns added to `findings` and `spans` are to be added here too.
CREATE TABLE IF NOT EXISTS pinned_findings
ENGINE = ReplacingMergeTree(pinned_at)
ORDER BY (fingerprint, role)
EMPTY AS
SELECT *, toLowCardinality('newest') AS role, now64(3, 'UTC') AS pinned_at FROM findings;

CREATE TABLE IF NOT EXISTS pinned_spans AS spans
ENGINE = ReplacingMergeTree
ORDER BY (trace_id, span_id);

-- As before, with those that are pinned: both may be there for a while, so count and show each once.
CREATE OR REPLACE VIEW current_findings AS
SELECT
    *,
    lower(hex(trace_id)) AS trace_id_hex,
    lower(hex(entry_span_id)) AS entry_span_id_hex,
    arrayMap(id -> lower(hex(id)), span_ids) AS span_ids_hex
FROM
(
    SELECT f.*
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
        AND f.generation = e.generation
    UNION ALL
    SELECT * EXCEPT (role, pinned_at) FROM pinned_findings FINAL
);
