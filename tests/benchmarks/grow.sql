-- name: create_base
CREATE TABLE base_{table} AS {table}

-- name: fill_base
INSERT INTO base_{table} SELECT * FROM {table} FINAL

-- name: grow_spans
-- The recorded spans, over and over: with traces and ids of their own, one set after the other, spread
-- over three days, and an attribute on entries whose value occurs once in all.
INSERT INTO spans
SELECT base_spans.* REPLACE (
    reinterpretAsFixedString(sipHash128(trace_id, number)) AS trace_id,
    reinterpretAsFixedString(bitXor(reinterpretAsUInt64(span_id), intHash64(number + 1))) AS span_id,
    if(parent_span_id = toFixedString('', 8), parent_span_id, reinterpretAsFixedString(bitXor(reinterpretAsUInt64(parent_span_id), intHash64(number + 1)))) AS parent_span_id,
    if(entry_span_id = toFixedString('', 8), entry_span_id, reinterpretAsFixedString(bitXor(reinterpretAsUInt64(entry_span_id), intHash64(number + 1)))) AS entry_span_id,
    subtractNanoseconds(start_time, (number + 1) * {step_ns:UInt64}) AS start_time,
    toUInt64(duration_ns * (0.5 + randCanonical(number))) AS duration_ns,
    if(kind IN ('server', 'consumer'), mapUpdate(attributes, map('shop.order', toString(number))), attributes) AS attributes,
    if(kind IN ('server', 'consumer'), arrayPushBack(attribute_types, 1), attribute_types) AS attribute_types,
    now64(3, 'UTC') - INTERVAL 1 DAY AS inserted_at)
FROM (SELECT number FROM numbers({first:UInt64}, {sets:UInt64})) AS sets
CROSS JOIN base_spans

-- name: grow_entries
INSERT INTO entries
SELECT base_entries.* REPLACE (
    reinterpretAsFixedString(sipHash128(trace_id, number)) AS trace_id,
    reinterpretAsFixedString(bitXor(reinterpretAsUInt64(entry_span_id), intHash64(number + 1))) AS entry_span_id,
    subtractNanoseconds(start_time, (number + 1) * {step_ns:UInt64}) AS start_time,
    toUInt64(duration_ns * (0.5 + randCanonical(number))) AS duration_ns)
FROM (SELECT number FROM numbers({first:UInt64}, {sets:UInt64})) AS sets
CROSS JOIN base_entries

-- name: grow_findings
INSERT INTO findings
SELECT base_findings.* REPLACE (
    reinterpretAsFixedString(sipHash128(trace_id, number)) AS trace_id,
    reinterpretAsFixedString(bitXor(reinterpretAsUInt64(entry_span_id), intHash64(number + 1))) AS entry_span_id,
    subtractNanoseconds(entry_start, (number + 1) * {step_ns:UInt64}) AS entry_start)
FROM (SELECT number FROM numbers({first:UInt64}, {sets:UInt64})) AS sets
CROSS JOIN base_findings

-- name: age_violations
-- They were first seen in the oldest of their findings.
INSERT INTO violations
SELECT * REPLACE (subtractNanoseconds(first_seen, {spread_ns:UInt64}) AS first_seen, updated_at + INTERVAL 1 SECOND AS updated_at)
FROM violations FINAL

-- name: grow_trace_bounds
INSERT INTO trace_bounds
SELECT
    reinterpretAsFixedString(sipHash128(trace_id, number)),
    subtractNanoseconds(min(started), (number + 1) * {step_ns:UInt64}),
    subtractNanoseconds(max(ended), (number + 1) * {step_ns:UInt64})
FROM base_trace_bounds
CROSS JOIN (SELECT number FROM numbers({first:UInt64}, {sets:UInt64})) AS sets
GROUP BY trace_id, number

-- name: copy_to_exporter
-- The same spans in the exporter's table.
INSERT INTO exporter.otel_traces
SELECT
    start_time, lower(hex(trace_id)), lower(hex(span_id)),
    if(parent_span_id = toFixedString('', 8), '', lower(hex(parent_span_id))),
    trace_state, name, initcap(toString(kind)), service,
    mapSort(CAST(arrayMap(a -> (a.1, a.2), CAST(resource, 'Tuple(Array(Tuple(String, String, UInt8)), UInt32)').1), 'Map(LowCardinality(String), String)')),
    CAST(scope, 'Tuple(String, String, Array(Tuple(String, String, UInt8)), UInt32)').1, CAST(scope, 'Tuple(String, String, Array(Tuple(String, String, UInt8)), UInt32)').2, attributes,
    duration_ns, initcap(toString(status)), status_message,
    arrayMap(e -> fromUnixTimestamp64Nano(toInt64(e.time_unix_nano)), events),
    arrayMap(e -> e.name, events),
    arrayMap(e -> CAST(e.attributes, 'Map(LowCardinality(String), String)'), events),
    arrayMap(l -> lower(hex(l.trace_id)), links),
    arrayMap(l -> lower(hex(l.span_id)), links),
    arrayMap(l -> l.trace_state, links),
    arrayMap(l -> CAST(l.attributes, 'Map(LowCardinality(String), String)'), links)
FROM spans
WHERE toDate(start_time) = {day:Date}

-- name: days
SELECT DISTINCT toDate(start_time) AS day FROM spans ORDER BY day

-- name: some_traces
SELECT lower(hex(trace_id)) AS trace FROM entries WHERE service = {service:String} ORDER BY cityHash64(trace_id) LIMIT {limit:UInt32}

-- name: count_findings
SELECT count() AS findings FROM findings

-- name: some_violations
SELECT fingerprint FROM findings GROUP BY fingerprint ORDER BY count() DESC, fingerprint LIMIT {limit:UInt32}

-- name: busiest_entry
SELECT toString(service) AS service, toString(name) AS name
FROM entries
GROUP BY service, name
ORDER BY count() DESC, name
LIMIT 1

-- name: exporter_trace
WITH
    (SELECT min(Start) FROM exporter.otel_traces_trace_id_ts WHERE TraceId = {trace:String}) AS first,
    (SELECT max(End) + 1 FROM exporter.otel_traces_trace_id_ts WHERE TraceId = {trace:String}) AS last
SELECT * FROM exporter.otel_traces
WHERE TraceId = {trace:String} AND Timestamp >= first AND Timestamp <= last
ORDER BY Timestamp
FORMAT JSONEachRow

-- name: exporter_newest
SELECT Timestamp, TraceId, SpanId, SpanName, Duration, StatusCode
FROM exporter.otel_traces
WHERE ServiceName = {service:String} AND SpanKind IN ('Server', 'Consumer') AND Timestamp > now() - INTERVAL 1 DAY
ORDER BY Timestamp DESC
LIMIT 50
FORMAT JSONEachRow

-- name: exporter_slow_route
SELECT Timestamp, TraceId, SpanId, SpanName, Duration, StatusCode
FROM exporter.otel_traces
WHERE ServiceName = {service:String} AND SpanName = {name:String} AND SpanKind IN ('Server', 'Consumer')
    AND Timestamp > now() - INTERVAL 1 DAY AND Duration >= 500000000
ORDER BY Timestamp DESC
LIMIT 50
FORMAT JSONEachRow

-- name: exporter_attribute
SELECT Timestamp, TraceId, SpanId, SpanName, Duration, StatusCode
FROM exporter.otel_traces
WHERE SpanAttributes['shop.order'] = {value:String} AND Timestamp > now() - INTERVAL 3 DAY
ORDER BY Timestamp DESC
LIMIT 50
FORMAT JSONEachRow
