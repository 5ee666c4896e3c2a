-- Who does what only one process at a time may do (docs/adr/0006-several-collectors.md). The row with
-- the highest epoch counts; of several inserts of one epoch the first is stored, by its deduplication
-- token.
CREATE TABLE IF NOT EXISTS leases
(
    name LowCardinality(String),
    epoch UInt64,
    -- '' when it was given back
    owner String,
    -- how its owner is doing, as JSON
    note String,
    claimed_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(epoch)
ORDER BY name
SETTINGS non_replicated_deduplication_window = 1000;
