-- Spans as they came, with the attributes that rules and searches need in columns of their own.
--
-- Time first, then service and trace, is what makes rules cheap: they read what has just come.
-- A span sent twice has the same sorting key, so ReplacingMergeTree keeps one of it.
--
-- Attribute values are text; `attribute_types` says which AnyValue member each was
-- (0 unset, 1 string, 2 bool, 3 int, 4 double, 5 array, 6 key-value list, 7 bytes), in the order of
-- the map, so that what was sent can be told again exactly. Arrays and key-value lists are kept as
-- their protobuf bytes.
CREATE TABLE IF NOT EXISTS spans
(
    start_time DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    duration_ns UInt64 CODEC(T64, ZSTD(1)),
    trace_id FixedString(16) CODEC(ZSTD(1)),
    span_id FixedString(8) CODEC(ZSTD(1)),
    parent_span_id FixedString(8) CODEC(ZSTD(1)),
    -- hotspan.entry.span_id, or zeros
    entry_span_id FixedString(8) CODEC(ZSTD(1)),
    trace_state String CODEC(ZSTD(1)),
    flags UInt32 CODEC(ZSTD(1)),
    name LowCardinality(String) CODEC(ZSTD(1)),
    kind Enum8('unspecified' = 0, 'internal' = 1, 'server' = 2, 'client' = 3, 'producer' = 4, 'consumer' = 5) CODEC(ZSTD(1)),
    status Enum8('unset' = 0, 'ok' = 1, 'error' = 2) CODEC(ZSTD(1)),
    status_message String CODEC(ZSTD(1)),

    service LowCardinality(String) CODEC(ZSTD(1)),
    namespace LowCardinality(String) CODEC(ZSTD(1)),
    environment LowCardinality(String) CODEC(ZSTD(1)),
    version LowCardinality(String) CODEC(ZSTD(1)),
    -- hash of the resource: equal for the spans of one process
    process UInt64 CODEC(ZSTD(1)),
    resource Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    resource_types Array(UInt8) CODEC(ZSTD(1)),
    scope_name LowCardinality(String) CODEC(ZSTD(1)),
    scope_version LowCardinality(String) CODEC(ZSTD(1)),

    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    attribute_types Array(UInt8) CODEC(ZSTD(1)),
    dropped_attributes UInt32 CODEC(ZSTD(1)),
    events Array(Tuple(time_unix_nano UInt64, name String, attributes Map(String, String), attribute_types Array(UInt8))) CODEC(ZSTD(1)),
    dropped_events UInt32 CODEC(ZSTD(1)),
    links Array(Tuple(trace_id String, span_id String, trace_state String, attributes Map(String, String), attribute_types Array(UInt8))) CODEC(ZSTD(1)),
    dropped_links UInt32 CODEC(ZSTD(1)),

    db_system LowCardinality(String) CODEC(ZSTD(1)),
    db_statement String CODEC(ZSTD(1)),
    -- equal for statements that differ in literals, lengths of lists or driver placeholders only
    db_fingerprint UInt64 CODEC(ZSTD(1)),
    http_method LowCardinality(String) CODEC(ZSTD(1)),
    http_route LowCardinality(String) CODEC(ZSTD(1)),
    http_status UInt16 CODEC(ZSTD(1)),
    url String CODEC(ZSTD(1)),
    peer LowCardinality(String) CODEC(ZSTD(1)),
    message_id String CODEC(ZSTD(1)),
    task LowCardinality(String) CODEC(ZSTD(1)),
    task_state LowCardinality(String) CODEC(ZSTD(1)),
    task_retries UInt16 CODEC(ZSTD(1)),
    queue LowCardinality(String) CODEC(ZSTD(1)),
    exception_type LowCardinality(String) CODEC(ZSTD(1)),
    exception_message String CODEC(ZSTD(1)),
    code_file LowCardinality(String) CODEC(ZSTD(1)),
    code_line UInt32 CODEC(ZSTD(1)),
    code_function LowCardinality(String) CODEC(ZSTD(1)),

    -- fixed when an insert starts; its rows become visible when it ends
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    -- of its service; 0: what holds for all
    retention_days UInt16 CODEC(ZSTD(1)),

    INDEX by_trace_id trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_inserted_at inserted_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
-- What is kept for as long lies in parts of its own, which are dropped as a whole.
PARTITION BY (toDate(start_time), retention_days)
ORDER BY (toStartOfFiveMinutes(start_time), service, trace_id, span_id)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000;

-- When each trace began and ended, so that reading one is bounded in time. Filled by the evaluator;
-- minimum and maximum only, so that they stay right when spans are sent or evaluated twice.
CREATE TABLE IF NOT EXISTS trace_bounds
(
    trace_id FixedString(16),
    started SimpleAggregateFunction(min, DateTime64(9, 'UTC')),
    ended SimpleAggregateFunction(max, DateTime64(9, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY trace_id;
