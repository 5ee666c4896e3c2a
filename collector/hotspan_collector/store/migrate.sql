-- name: create_migrations
CREATE TABLE IF NOT EXISTS schema_migrations
(
    name String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY name

-- name: applied_migrations
SELECT DISTINCT name FROM schema_migrations

-- name: record_migration
INSERT INTO schema_migrations (name) SELECT {name:String}

-- name: retain_spans
ALTER TABLE spans MODIFY TTL toDateTime(start_time) + INTERVAL {days} DAY

-- name: retain_entries
ALTER TABLE entries MODIFY TTL toDateTime(start_time) + INTERVAL {days} DAY

-- name: retain_publications
ALTER TABLE publications MODIFY TTL toDateTime(published_at) + INTERVAL {days} DAY

-- name: retain_span_exceptions
ALTER TABLE span_exceptions MODIFY TTL toDateTime(intDiv(time_unix_nano, 1000000000)) + INTERVAL {days} DAY

-- name: retain_findings
ALTER TABLE findings MODIFY TTL toDateTime(entry_start) + INTERVAL {days} DAY

-- name: retain_trace_bounds
ALTER TABLE trace_bounds MODIFY TTL toDateTime(ended) + INTERVAL {days} DAY

-- name: sync_spans
ALTER TABLE spans MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1
