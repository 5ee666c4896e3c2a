-- unless: SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'spans' AND name = 'scope'
-- Spans in order of arrival. Sorted by trace, a third of what a span cost was sorting it, and as much
-- again with each merge; and what resembles each other, the spans of one request, lay apart, so that
-- it took twice the bytes. A trace lies together as well when it comes together, and an index on its
-- id says where. Spans sent twice are told by readers (docs/adr/0007-spans-in-order-of-arrival.md).
--
-- Attribute values are text; `attribute_types` says which AnyValue member each was
-- (0 unset, 1 string, 2 bool, 3 int, 4 double, 5 array, 6 key-value list, 7 bytes), in the order of
-- the map, so that what was sent can be told again exactly. Arrays and key-value lists are kept as
-- their protobuf bytes.
CREATE TABLE IF NOT EXISTS spans_by_arrival
(
    start_time DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(3)),
    duration_ns UInt64 CODEC(T64, ZSTD(3)),
    trace_id FixedString(16) CODEC(ZSTD(3)),
    span_id FixedString(8) CODEC(ZSTD(3)),
    parent_span_id FixedString(8) CODEC(ZSTD(3)),
    -- hotspan.entry.span_id, or zeros
    entry_span_id FixedString(8) CODEC(ZSTD(3)),
    trace_state String CODEC(ZSTD(3)),
    flags UInt32 CODEC(ZSTD(3)),
    name LowCardinality(String) CODEC(ZSTD(3)),
    kind Enum8('unspecified' = 0, 'internal' = 1, 'server' = 2, 'client' = 3, 'producer' = 4, 'consumer' = 5) CODEC(ZSTD(3)),
    status Enum8('unset' = 0, 'ok' = 1, 'error' = 2) CODEC(ZSTD(3)),
    status_message String CODEC(ZSTD(3)),

    service LowCardinality(String) CODEC(ZSTD(3)),
    namespace LowCardinality(String) CODEC(ZSTD(3)),
    environment LowCardinality(String) CODEC(ZSTD(3)),
    version LowCardinality(String) CODEC(ZSTD(3)),
    -- hash of the resource: equal for the spans of one process
    process UInt64 CODEC(ZSTD(3)),
    -- Text of ([(key, value, type), …], dropped attributes): the same for all spans of a process, so
    -- that a part keeps it once.
    resource LowCardinality(String) DEFAULT '([],0)' CODEC(ZSTD(3)),
    -- Text of (name, version, [(key, value, type), …], dropped attributes)
    scope LowCardinality(String) DEFAULT '(\'\',\'\',[],0)' CODEC(ZSTD(3)),

    -- What is not random in a span is here, and repeats at some distance.
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(6)),
    attribute_types Array(UInt8) CODEC(ZSTD(6)),
    dropped_attributes UInt32 CODEC(ZSTD(3)),
    events Array(Tuple(time_unix_nano UInt64, name String, attributes Map(String, String), attribute_types Array(UInt8))) CODEC(ZSTD(3)),
    dropped_events UInt32 CODEC(ZSTD(3)),
    links Array(Tuple(trace_id String, span_id String, trace_state String, attributes Map(String, String), attribute_types Array(UInt8))) CODEC(ZSTD(3)),
    dropped_links UInt32 CODEC(ZSTD(3)),

    db_system LowCardinality(String) CODEC(ZSTD(3)),
    db_statement String CODEC(ZSTD(3)),
    -- equal for statements that differ in literals, lengths of lists or driver placeholders only
    db_fingerprint UInt64 CODEC(ZSTD(3)),
    http_method LowCardinality(String) CODEC(ZSTD(3)),
    http_route LowCardinality(String) CODEC(ZSTD(3)),
    http_status UInt16 CODEC(ZSTD(3)),
    url String CODEC(ZSTD(3)),
    peer LowCardinality(String) CODEC(ZSTD(3)),
    message_id String CODEC(ZSTD(3)),
    task LowCardinality(String) CODEC(ZSTD(3)),
    task_state LowCardinality(String) CODEC(ZSTD(3)),
    task_retries UInt16 CODEC(ZSTD(3)),
    queue LowCardinality(String) CODEC(ZSTD(3)),
    exception_type LowCardinality(String) CODEC(ZSTD(3)),
    exception_message String CODEC(ZSTD(3)),
    code_file LowCardinality(String) CODEC(ZSTD(3)),
    code_line UInt32 CODEC(ZSTD(3)),
    code_function LowCardinality(String) CODEC(ZSTD(3)),

    -- fixed when an insert starts; its rows become visible when it ends
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(Delta(8), ZSTD(3)),
    -- of its service; 0: what holds for all
    retention_days UInt16 CODEC(ZSTD(3)),

    INDEX by_trace_id trace_id TYPE bloom_filter(0.003) GRANULARITY 1,
    INDEX by_inserted_at inserted_at TYPE minmax GRANULARITY 1,
    INDEX by_process process TYPE bloom_filter(0.01) GRANULARITY 1,
    -- What few spans have is found without reading the others.
    INDEX by_attribute_key mapKeys(attributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_attribute_value mapValues(attributes) TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
-- What is kept for as long lies in parts of its own, which are dropped as a whole.
PARTITION BY (toDate(start_time), retention_days)
ORDER BY toStartOfFiveMinutes(start_time)
-- Compact parts: a commit's part is a file or two, instead of several for each of some fifty columns,
-- all of which are synced before it is acknowledged.
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000, min_bytes_for_wide_part = 104857600;

-- Who is interrupted here begins anew: spans that are copied twice are told by readers, too.
INSERT INTO spans_by_arrival
SELECT
    * EXCEPT (resource_types, scope_version) REPLACE (
        toLowCardinality(toString((arrayMap(i -> (mapKeys(resource)[i], mapValues(resource)[i], resource_types[i]), range(1, length(resource) + 1)), 0))) AS resource,
        toLowCardinality(toString((scope_name, scope_version, [], 0))) AS scope_name)
FROM spans
SETTINGS max_execution_time = 0, max_partitions_per_insert_block = 0;

EXCHANGE TABLES spans AND spans_by_arrival;

DROP TABLE spans_by_arrival;
