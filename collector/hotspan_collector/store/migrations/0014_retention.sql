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
