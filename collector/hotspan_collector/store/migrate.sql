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

-- name: retain_spans
-- Those of services with a retention of their own have it in their row.
ALTER TABLE spans MODIFY TTL toDateTime(start_time) + toIntervalDay(if(retention_days = 0, {days}, retention_days))

-- name: retain_entries
ALTER TABLE entries MODIFY TTL toDateTime(start_time) + INTERVAL {longest_days} DAY

-- name: retain_publications
ALTER TABLE publications MODIFY TTL toDateTime(published_at) + INTERVAL {longest_days} DAY

-- name: retain_span_exceptions
ALTER TABLE span_exceptions MODIFY TTL toDateTime(intDiv(time_unix_nano, 1000000000)) + INTERVAL {longest_days} DAY

-- name: retain_findings
ALTER TABLE findings MODIFY TTL toDateTime(entry_start) + INTERVAL {longest_days} DAY

-- name: retain_violation_hits
ALTER TABLE violation_hits MODIFY TTL five_minutes + INTERVAL {longest_days} DAY

-- name: retain_trace_bounds
ALTER TABLE trace_bounds MODIFY TTL toDateTime(ended) + INTERVAL {longest_days} DAY

-- name: sync_spans
ALTER TABLE spans MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1
