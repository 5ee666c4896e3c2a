-- Exceptions of spans that came as logs: OpenTelemetry is moving them there from the events of spans.
-- They may come before their span, or after it was judged. Ids are hex.
CREATE TABLE IF NOT EXISTS span_exceptions
(
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    time_unix_nano UInt64 CODEC(Delta(8), ZSTD(1)),
    service LowCardinality(String) CODEC(ZSTD(1)),
    type LowCardinality(String) CODEC(ZSTD(1)),
    message String CODEC(ZSTD(1)),
    stacktrace String CODEC(ZSTD(1)),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(fromUnixTimestamp64Nano(toInt64(time_unix_nano), 'UTC'))
ORDER BY (trace_id, span_id, time_unix_nano, type)
SETTINGS ttl_only_drop_parts = 1;
