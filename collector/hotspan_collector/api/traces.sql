-- name: search_entries
-- Newest first. Conditions are those that were asked for: each costs time, however little it filters.
SELECT
    toUnixTimestamp64Nano(start_time) AS start_ns,
    lower(hex(trace_id)) AS trace,
    lower(hex(entry_span_id)) AS entry,
    duration_ns, service, environment, version, kind, name, error, http_status, task_state,
    spans, db_queries, partial, generation
FROM entries FINAL
WHERE deleted = 0
    AND start_time >= fromUnixTimestamp64Nano({since_ns:Int64}, 'UTC')
    AND start_time < fromUnixTimestamp64Nano({until_ns:Int64}, 'UTC')
    {conditions}
ORDER BY start_time DESC, trace_id DESC, entry_span_id DESC
LIMIT {limit:UInt32}

-- name: where_cursor
-- The page begins below (before_ns, before_trace, before_entry).
AND start_time <= fromUnixTimestamp64Nano({before_ns:Int64}, 'UTC')
AND (start_time, trace_id, entry_span_id) < (
    fromUnixTimestamp64Nano({before_ns:Int64}, 'UTC'),
    toFixedString(unhex({before_trace:String}), 16),
    toFixedString(unhex({before_entry:String}), 8))

-- name: where_service
AND service = {service:String}

-- name: where_environment
AND environment = {environment:String}

-- name: where_kind
AND kind = {kind:String}

-- name: where_name
AND positionCaseInsensitiveUTF8(name, {name:String}) > 0

-- name: where_error
AND error = ({error:String} = 'true')

-- name: where_min_duration_ns
AND duration_ns >= {min_duration_ns:UInt64}

-- name: where_max_duration_ns
AND duration_ns <= {max_duration_ns:UInt64}

-- name: where_traces
-- Their entries lie within their bounds, which are written with them.
AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
AND start_time >= (
    SELECT (min(started), max(ended))
    FROM trace_bounds
    WHERE trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))).1
AND start_time <= (
    SELECT (min(started), max(ended))
    FROM trace_bounds
    WHERE trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))).2

-- name: where_attributes
-- Each key=value must be on a span of the entry, or on its resource. Stock spans do not say which
-- entry they belong to: then service and time decide.
AND (trace_id, entry_span_id) IN
(
    SELECT entry.trace_id, entry.entry_span_id
    FROM
    (
{spans_with_any}
    ) AS span
    INNER JOIN
    (
        SELECT trace_id, entry_span_id, service, start_time, duration_ns
        FROM entries FINAL
        WHERE deleted = 0
            AND start_time >= fromUnixTimestamp64Nano({since_ns:Int64}, 'UTC')
            AND start_time < fromUnixTimestamp64Nano({until_ns:Int64}, 'UTC')
            {where_service}
    ) AS entry
    ON span.trace_id = entry.trace_id AND span.service = entry.service
    WHERE span.entry_span_id = entry.entry_span_id
        OR (span.entry_span_id = toFixedString('', 8)
            AND span.start_time >= entry.start_time
            AND span.start_time <= addNanoseconds(entry.start_time, entry.duration_ns))
    GROUP BY entry.trace_id, entry.entry_span_id
    HAVING length(groupUniqArrayArray(span.found)) = length({keys:Array(String)})
)

-- name: spans_with_any
-- Spans with any of the attributes, and which: indexes on keys and on values tell where they may be, and
-- one on processes where those of a resource are. What is wider is read of these alone.
-- A resource is text; in it stands ('key','value',type) of each attribute.
SELECT
    trace_id, service, entry_span_id, start_time,
    arrayFilter(
        i -> (mapContains(attributes, {keys:Array(String)}[i]) AND attributes[{keys:Array(String)}[i]] = {values:Array(String)}[i])
            OR position(resource, {told:Array(String)}[i]) > 0,
        arrayEnumerate({keys:Array(String)})) AS found
FROM spans
PREWHERE (hasAny(mapKeys(attributes), {keys:Array(String)}) AND hasAny(mapValues(attributes), {values:Array(String)})) OR process IN
(
    SELECT DISTINCT process
    FROM spans
    WHERE multiSearchAny(resource, {told:Array(String)})
        AND start_time >= fromUnixTimestamp64Nano({since_ns:Int64}, 'UTC')
        AND start_time < fromUnixTimestamp64Nano({until_ns:Int64} + {longest_entry_ns:Int64}, 'UTC')
)
WHERE start_time >= fromUnixTimestamp64Nano({since_ns:Int64}, 'UTC')
    AND start_time < fromUnixTimestamp64Nano({until_ns:Int64} + {longest_entry_ns:Int64}, 'UTC')
    AND notEmpty(found)
    {where_service}

-- name: spans_with_values
SELECT
    lower(hex(trace_id)) AS trace,
    lower(hex(entry_span_id)) AS entry,
    service,
    toUnixTimestamp64Nano(start_time) AS start_ns,
    found
FROM
(
{spans_with_any}
)
LIMIT {most_spans:UInt32}

-- name: count_findings
-- How many findings the entries of a page have, by evaluation: the entry says which one counts.
SELECT
    lower(hex(trace_id)) AS trace, lower(hex(entry_span_id)) AS entry, generation,
    uniqExact(fingerprint, site) AS findings
FROM findings
WHERE entry_start >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
    AND entry_start <= fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
    AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
GROUP BY trace_id, entry_span_id, generation

-- name: trace_bounds
-- Also those of a trace that is kept as evidence, beyond its retention.
SELECT
    toUnixTimestamp64Nano(min(first)) AS started_ns,
    toUnixTimestamp64Nano(max(last)) AS ended_ns,
    max(pinned) AS is_pinned
FROM
(
    SELECT started AS first, ended AS last, false AS pinned
    FROM trace_bounds
    WHERE trace_id = toFixedString(unhex({trace_id:String}), 16)
    UNION ALL
    SELECT start_time, addNanoseconds(start_time, duration_ns), true
    FROM pinned_spans
    WHERE trace_id = toFixedString(unhex({trace_id:String}), 16)
)
HAVING count() > 0

-- name: spans_and_pinned
-- Stands in for `spans` where a trace is kept as evidence.
(
    SELECT *
    FROM
    (
        SELECT * FROM spans
        WHERE trace_id = toFixedString(unhex({trace_id:String}), 16)
            AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
            AND start_time <= fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
        UNION ALL
        SELECT * FROM pinned_spans
        WHERE trace_id = toFixedString(unhex({trace_id:String}), 16)
    )
    LIMIT 1 BY span_id
)

-- name: trace_header
-- A span that was sent twice is one.
SELECT
    uniqExact(service, span_id, start_time) AS spans,
    toUnixTimestamp64Nano(min(start_time)) AS started_ns,
    max(toUnixTimestamp64Nano(start_time) + toInt64(duration_ns)) AS ended_ns,
    arraySort(groupUniqArray(service)) AS services
FROM {spans}
WHERE trace_id = toFixedString(unhex({trace_id:String}), 16)
    AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
    AND start_time <= fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')

-- name: trace_spans
-- One JSON object a line (JSON escapes line ends), so that the answer is put together from bytes.
-- An attribute may be bytes that are no UTF-8, which JSON does not allow.
SELECT concat(
    substring(json, 1, length(json) - 1),
    ',"code":',
    if(code_file = '', 'null', toJSONString(CAST((toValidUTF8(code_file), code_line, toValidUTF8(code_function)), 'Tuple(file String, line UInt32, function String)'))),
    '}')
FROM
(
    SELECT
        code_file, code_line, code_function,
        toJSONString(CAST(
            (
                lower(hex(span_id)),
                if(parent_span_id = toFixedString('', 8), NULL, lower(hex(parent_span_id))),
                if(entry_span_id = toFixedString('', 8), NULL, lower(hex(entry_span_id))),
                name,
                toValidUTF8(service),
                toString(kind),
                (toUnixTimestamp64Nano(start_time) - {started_ns:Int64}) / 1000,
                duration_ns / 1000,
                toString(status),
                nullIf(toValidUTF8(db_statement), ''),
                if(db_fingerprint = 0, NULL, toString(db_fingerprint))
            ),
            'Tuple(span_id String, parent_span_id Nullable(String), entry_span_id Nullable(String), name String, service String, kind String, start_us Float64, duration_us Float64, status String, statement Nullable(String), statement_fingerprint Nullable(String))'
        )) AS json
    FROM {spans}
    WHERE trace_id = toFixedString(unhex({trace_id:String}), 16)
        AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
        AND start_time <= fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
    ORDER BY start_time, span_id
    LIMIT 1 BY start_time, span_id, service
    LIMIT {limit:UInt32}
)
SETTINGS output_format_json_quote_64bit_integers = 0, output_format_json_escape_forward_slashes = 0
FORMAT TSVRaw

-- name: trace_findings
SELECT
    fingerprint, rule, toString(found.severity) AS severity, toString(found.confidence) AS confidence,
    service, entry_name, count, wasted_ns, statement, details, missing, suggestion,
    code_file, code_line, code_function,
    lower(hex(trace_id)) AS trace_id_hex,
    lower(hex(entry_span_id)) AS entry_span_id_hex,
    arrayMap(id -> lower(hex(id)), span_ids) AS span_ids_hex
FROM {findings} AS found
WHERE trace_id = toFixedString(unhex({trace_id:String}), 16)
    AND entry_start >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
    AND entry_start <= fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
    {current}
ORDER BY found.severity DESC, wasted_ns DESC, entry_start, fingerprint
LIMIT 1 BY fingerprint, entry_span_id, site
LIMIT {limit:UInt32}

-- name: of_latest_evaluation
-- What `current_findings` tells of all traces, of one.
AND (entry_span_id, generation) IN
(
    SELECT entry_span_id, generation
    FROM entries FINAL
    PREWHERE trace_id = toFixedString(unhex({trace_id:String}), 16)
    WHERE deleted = 0
        AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
        AND start_time <= fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
    SETTINGS use_skip_indexes_if_final = 1
)

-- name: span_exceptions
-- Exceptions of a span that came as logs.
SELECT time_unix_nano, type, message, stacktrace
FROM span_exceptions FINAL
WHERE trace_id = {trace_id:String} AND span_id = {span_id:String}
ORDER BY time_unix_nano
LIMIT 100

-- name: span
-- Values of arrays, key-value lists and bytes (types 5, 6 and 7) are bytes, and travel as base64.
WITH
    CAST(resource, 'Tuple(told Array(Tuple(String, String, UInt8)), dropped UInt32)') AS resource_parts,
    CAST(scope, 'Tuple(name String, version String, told Array(Tuple(String, String, UInt8)), dropped UInt32)') AS scope_parts
SELECT
    lower(hex(span_id)) AS id,
    lower(hex(parent_span_id)) AS parent,
    lower(hex(entry_span_id)) AS entry,
    toUnixTimestamp64Nano(start_time) AS start_ns,
    duration_ns, name, service, toString(kind) AS span_kind, toString(status) AS span_status,
    status_message, trace_state,
    scope_parts.name AS scope_name,
    scope_parts.version AS scope_version,
    scope_parts.dropped AS dropped_scope_attributes,
    scope_parts.told.1 AS scope_keys,
    arrayMap(a -> if(a.3 IN (5, 6, 7), base64Encode(a.2), a.2), scope_parts.told) AS scope_values,
    scope_parts.told.3 AS scope_types,
    flags, dropped_attributes, dropped_events, dropped_links,
    db_statement, toString(db_fingerprint) AS fingerprint, code_file, code_line, code_function,
    mapKeys(attributes) AS attribute_keys,
    arrayMap((v, t) -> if(t IN (5, 6, 7), base64Encode(v), v), mapValues(attributes), attribute_types) AS attribute_values,
    attribute_types,
    resource_parts.dropped AS dropped_resource_attributes,
    resource_parts.told.1 AS resource_keys,
    arrayMap(a -> if(a.3 IN (5, 6, 7), base64Encode(a.2), a.2), resource_parts.told) AS resource_values,
    resource_parts.told.3 AS resource_types,
    arrayMap(e -> e.name, events) AS event_names,
    arrayMap(e -> e.time_unix_nano, events) AS event_times,
    arrayMap(e -> mapKeys(e.attributes), events) AS event_keys,
    arrayMap(e -> arrayMap((v, t) -> if(t IN (5, 6, 7), base64Encode(v), v), mapValues(e.attributes), e.attribute_types), events) AS event_values,
    arrayMap(e -> e.attribute_types, events) AS event_types,
    arrayMap(l -> lower(hex(l.trace_id)), links) AS link_traces,
    arrayMap(l -> lower(hex(l.span_id)), links) AS link_spans,
    arrayMap(l -> l.trace_state, links) AS link_states,
    arrayMap(l -> mapKeys(l.attributes), links) AS link_keys,
    arrayMap(l -> arrayMap((v, t) -> if(t IN (5, 6, 7), base64Encode(v), v), mapValues(l.attributes), l.attribute_types), links) AS link_values,
    arrayMap(l -> l.attribute_types, links) AS link_types
FROM {spans}
WHERE trace_id = toFixedString(unhex({trace_id:String}), 16)
    AND span_id = toFixedString(unhex({span_id:String}), 8)
    AND start_time >= fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC')
    AND start_time <= fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
ORDER BY inserted_at DESC
LIMIT 1
