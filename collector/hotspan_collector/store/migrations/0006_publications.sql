-- Tasks that somebody asked for: one row a PRODUCER span of a task. What was published and never
-- came to be an entry is lost.
CREATE TABLE IF NOT EXISTS publications
(
    published_at DateTime64(9, 'UTC'),
    trace_id FixedString(16),
    span_id FixedString(8),
    -- the entry that asked for it; zeros when none did, as with beat
    entry_span_id FixedString(8),
    service LowCardinality(String),
    namespace LowCardinality(String),
    environment LowCardinality(String),
    version LowCardinality(String),
    task LowCardinality(String),
    queue LowCardinality(String),
    -- the same in all attempts at a task: each retry publishes it again
    message_id String,
    -- not to be run before; NULL where the span does not say
    eta Nullable(DateTime64(3, 'UTC')),
    -- not to be run after
    expires Nullable(DateTime64(3, 'UTC')),
    generation UInt64
)
ENGINE = ReplacingMergeTree(generation)
PARTITION BY toDate(published_at)
ORDER BY (toStartOfFiveMinutes(published_at), task, trace_id, span_id)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000;

ALTER TABLE entries
    -- success, failure, retry, revoked, expired, lost … as the instrumentation says; '' on stock spans
    ADD COLUMN IF NOT EXISTS task_outcome LowCardinality(String),
    ADD COLUMN IF NOT EXISTS queue LowCardinality(String),
    -- from when the task might have begun to when it did
    ADD COLUMN IF NOT EXISTS queue_wait_ms Nullable(Float32),
    -- rows that all queries returned, and the one that returned most
    ADD COLUMN IF NOT EXISTS db_rows UInt64,
    ADD COLUMN IF NOT EXISTS db_max_rows UInt64,
    -- time of statements by database, overlapping ones added up
    ADD COLUMN IF NOT EXISTS databases Map(LowCardinality(String), UInt64);

-- A view knows the columns that there were when it was made.
CREATE OR REPLACE VIEW current_entries AS
SELECT * FROM entries FINAL WHERE deleted = 0;
