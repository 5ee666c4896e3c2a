-- What rules over windows read: everything they need stands in `entries`.
ALTER TABLE entries
    -- numbers that the instrumentation put on the entry's own span, by attribute name
    ADD COLUMN IF NOT EXISTS counters Map(LowCardinality(String), Float64),
    -- its statements, slowest first, at most 100: one of each shape and parameters
    ADD COLUMN IF NOT EXISTS statements Array(Tuple(
        fingerprint UInt64,
        -- '' where the parameters are not known
        param_hash String,
        is_write Bool,
        count UInt32,
        time_ns UInt64));

-- The text of each statement, normalised, once.
CREATE TABLE IF NOT EXISTS statements
(
    fingerprint UInt64,
    text String CODEC(ZSTD(1)),
    seen_at DateTime('UTC')
)
ENGINE = ReplacingMergeTree(seen_at)
ORDER BY fingerprint;

-- The entries that count. Filter by `start_time`: without a bound this reads everything.
CREATE VIEW IF NOT EXISTS current_entries AS
SELECT * FROM entries FINAL WHERE deleted = 0;
