-- One row an entry: the span by which work enters a service, with counters of all that happened
-- below it. `generation` numbers its evaluations; the highest one counts. An entry that is no
-- longer one (its spans turned out to belong to another) is written with `deleted`.
CREATE TABLE IF NOT EXISTS entries
(
    start_time DateTime64(9, 'UTC'),
    duration_ns UInt64,
    trace_id FixedString(16),
    entry_span_id FixedString(8),
    service LowCardinality(String),
    namespace LowCardinality(String),
    environment LowCardinality(String),
    version LowCardinality(String),
    kind LowCardinality(String),
    name LowCardinality(String),
    error Bool,
    http_status UInt16,
    task_state LowCardinality(String),
    task_retries UInt16,
    message_id String,
    -- how many entries this one stands for, by the sampling threshold in its trace state
    weight Float64,
    -- its own span is missing, or spans below it are
    partial Bool,
    spans UInt32,
    db_queries UInt32,
    db_time_ns UInt64,
    db_distinct UInt32,
    http_calls UInt32,
    http_time_ns UInt64,
    -- of the set of spans it was computed from: a change means it must be evaluated again
    checksum UInt64,
    evaluated_at DateTime64(3, 'UTC'),
    generation UInt64,
    deleted UInt8,

    INDEX by_trace_id trace_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(generation)
PARTITION BY toDate(start_time)
ORDER BY (service, kind, toStartOfFiveMinutes(start_time), trace_id, entry_span_id)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000;

-- One row a hit of a rule in an entry. It counts while its generation is its entry's.
CREATE TABLE IF NOT EXISTS findings
(
    fingerprint String,
    rule LowCardinality(String),
    trace_id FixedString(16),
    entry_span_id FixedString(8),
    entry_start DateTime64(9, 'UTC'),
    entry_duration_ns UInt64,
    service LowCardinality(String),
    namespace LowCardinality(String),
    environment LowCardinality(String),
    version LowCardinality(String),
    entry_kind LowCardinality(String),
    entry_name LowCardinality(String),
    weight Float64,
    identity String,
    severity Enum8('info' = 1, 'warning' = 2, 'critical' = 3),
    confidence Enum8('low' = 1, 'medium' = 2, 'high' = 3),
    count UInt32,
    wasted_ns UInt64,
    statement String,
    details Map(LowCardinality(String), String),
    missing Array(LowCardinality(String)),
    span_ids Array(FixedString(8)),
    suggestion LowCardinality(String),
    code_file LowCardinality(String),
    code_line UInt32,
    code_function LowCardinality(String),
    generation UInt64,

    INDEX by_trace_id trace_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(generation)
PARTITION BY toDate(entry_start)
ORDER BY (fingerprint, entry_start, trace_id, entry_span_id)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000;

-- One row a fingerprint: what its findings amount to, and where it is in its life.
CREATE TABLE IF NOT EXISTS violations
(
    fingerprint String,
    rule LowCardinality(String),
    status LowCardinality(String),
    service LowCardinality(String),
    namespace LowCardinality(String),
    environment LowCardinality(String),
    entry_kind LowCardinality(String),
    entry_name LowCardinality(String),
    severity Enum8('info' = 1, 'warning' = 2, 'critical' = 3),
    confidence Enum8('low' = 1, 'medium' = 2, 'high' = 3),
    hits UInt64,
    max_count UInt32,
    mean_wasted_ns Float64,
    lost_ns_last_day Float64,
    first_seen DateTime64(3, 'UTC'),
    last_seen DateTime64(3, 'UTC'),
    first_version LowCardinality(String),
    last_version LowCardinality(String),
    opened_at Nullable(DateTime64(3, 'UTC')),
    updated_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY fingerprint;

-- What must be told to the outside, until it has been: an alert is sent at least once.
CREATE TABLE IF NOT EXISTS alert_outbox
(
    id String,
    fingerprint String,
    event LowCardinality(String),
    channel LowCardinality(String),
    payload String,
    created_at DateTime64(3, 'UTC'),
    attempts UInt32,
    next_attempt_at DateTime64(3, 'UTC'),
    state LowCardinality(String),
    last_error String,
    revision UInt64
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (created_at, id)
TTL toDateTime(created_at) + INTERVAL 30 DAY;

-- How far the evaluator has come, by name.
CREATE TABLE IF NOT EXISTS watermarks
(
    name LowCardinality(String),
    watermark DateTime64(3, 'UTC'),
    generation UInt64
)
ENGINE = ReplacingMergeTree(generation)
ORDER BY name;
