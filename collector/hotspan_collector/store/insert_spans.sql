-- name: insert_spans
-- From OTLP requests to rows. The arrayFilter is what makes a
-- span valid (mirrored in ingest/validity.py, which names the reason). What stands in braces is
-- redaction, from redaction.sql. A denied value keeps the type it was sent with: whoever reads it
-- knows the text that stands in its place.
INSERT INTO spans
(
    start_time, duration_ns, trace_id, span_id, parent_span_id, entry_span_id, trace_state, flags,
    name, kind, status, status_message,
    service, namespace, environment, version, process, resource, scope,
    attributes, attribute_types, dropped_attributes,
    events, dropped_events, links, dropped_links,
    db_system, db_statement, db_fingerprint,
    http_method, http_route, http_status, url, peer,
    message_id, task, task_state, task_retries, queue,
    exception_type, exception_message,
    code_file, code_line, code_function,
    retention_days
)
WITH
    v -> coalesce(v.string_value, toString(v.int_value), toString(v.bool_value), toString(v.double_value), v.array_value, v.kvlist_value, v.bytes_value, '') AS text_of,
    v -> multiIf(isNotNull(v.string_value), 1, isNotNull(v.bool_value), 2, isNotNull(v.int_value), 3, isNotNull(v.double_value), 4, isNotNull(v.array_value), 5, isNotNull(v.kvlist_value), 6, isNotNull(v.bytes_value), 7, 0) AS type_of,
    -- What is used more than once is made a level below its uses: an alias within one SELECT is
    -- analysed anew for each use, and the analysis is most of what a small insert costs. Of that, most
    -- were names like s.kind, .5 ms each, since the type of s is looked through: tupleElement() is not.
    -- The same holds of a WHERE on s.
    resources AS
    (
        SELECT
            arrayMap(a -> (a.key, if(match(a.key, {denied}), '[redacted]', text_of(a.value)), toUInt8(type_of(a.value))), tupleElement(tupleElement(r, 'resource'), 'attributes')) AS resource_attributes,
            tupleElement(tupleElement(r, 'resource'), 'dropped_attributes_count') AS dropped_resource_attributes,
            tupleElement(r, 'scope_spans') AS scope_spans
        FROM {source}
        ARRAY JOIN resource_spans AS r
    ),
    told_resources AS
    (
        SELECT
            scope_spans,
            toString((resource_attributes, dropped_resource_attributes)) AS resource_text,
            CAST(arrayMap(a -> (a.1, a.2), resource_attributes), 'Map(String, String)') AS told
        FROM resources
    ),
    processes AS
    (
        SELECT
            toLowCardinality(resource_text) AS resource,
            cityHash64(resource_text) AS process,
            {retention_days} AS own_retention_days,
            {oldest} AS oldest,
            toLowCardinality(told['service.name']) AS service,
            toLowCardinality(told['service.namespace']) AS namespace,
            toLowCardinality(if(told['deployment.environment.name'] != '', told['deployment.environment.name'], told['deployment.environment'])) AS environment,
            toLowCardinality(told['service.version']) AS version,
            toLowCardinality(toString((
                tupleElement(tupleElement(ss, 'scope'), 'name'),
                tupleElement(tupleElement(ss, 'scope'), 'version'),
                arrayMap(a -> (a.key, if(match(a.key, {denied}), '[redacted]', text_of(a.value)), toUInt8(type_of(a.value))), tupleElement(tupleElement(ss, 'scope'), 'attributes')),
                tupleElement(tupleElement(ss, 'scope'), 'dropped_attributes_count')))) AS scope,
            tupleElement(ss, 'spans') AS spans
        FROM told_resources
        ARRAY JOIN scope_spans AS ss
    ),
    valid AS
    (
        SELECT
            service, namespace, environment, version, process, resource, scope, own_retention_days,
            tupleElement(s, 'trace_id') AS span_trace_id,
            tupleElement(s, 'span_id') AS span_span_id,
            tupleElement(s, 'parent_span_id') AS span_parent_span_id,
            tupleElement(s, 'trace_state') AS span_trace_state,
            tupleElement(s, 'flags') AS span_flags,
            tupleElement(s, 'name') AS span_name,
            tupleElement(s, 'kind') AS span_kind,
            tupleElement(s, 'start_time_unix_nano') AS start_ns,
            tupleElement(s, 'end_time_unix_nano') AS end_ns,
            tupleElement(tupleElement(s, 'status'), 'code') AS span_status_code,
            tupleElement(tupleElement(s, 'status'), 'message') AS span_status_message,
            CAST(arrayMap(a -> (a.key, text_of(a.value)), tupleElement(s, 'attributes')), 'Map(LowCardinality(String), String)') AS sent,
            arrayMap(a -> toUInt8(type_of(a.value)), tupleElement(s, 'attributes')) AS span_attribute_types,
            tupleElement(s, 'dropped_attributes_count') AS span_dropped_attributes,
            tupleElement(s, 'events') AS span_events,
            tupleElement(s, 'dropped_events_count') AS span_dropped_events,
            tupleElement(s, 'links') AS span_links,
            tupleElement(s, 'dropped_links_count') AS span_dropped_links
        FROM processes
        ARRAY JOIN arrayFilter(
            s -> length(tupleElement(s, 'trace_id')) = 16
                AND length(tupleElement(s, 'span_id')) = 8
                AND tupleElement(s, 'trace_id') != unhex('00000000000000000000000000000000')
                AND tupleElement(s, 'span_id') != unhex('0000000000000000')
                AND tupleElement(s, 'start_time_unix_nano') >= oldest
                AND tupleElement(s, 'start_time_unix_nano') <= {newest_ns:UInt64}
                AND tupleElement(s, 'end_time_unix_nano') + {reversed_tolerance_ns:UInt64} >= tupleElement(s, 'start_time_unix_nano')
                AND tupleElement(s, 'end_time_unix_nano') <= {newest_ns:UInt64},
            spans) AS s
    ),
    redacted AS
    (
        SELECT
            *,
            {status_error} AS status_message,
            mapApply((k, v) -> (k, multiIf(
                k IN ('db.query.text', 'db.statement'), if(sent['db.system.name'] IN ('mysql', 'mariadb') OR sent['db.system'] IN ('mysql', 'mariadb'), {quoting_sql}, {sql}),
                k IN ('url.full', 'url.original', 'url.query', 'http.url', 'http.target', 'http.referer', 'db.connection_string'), {url},
                match(k, {denied}), '[redacted]',
                v)), sent) AS attributes,
            arrayMap(e -> (e.time_unix_nano, e.name, mapApply((k, v) -> (k, multiIf(k IN ('exception.message', 'exception.stacktrace'), {error}, match(k, {denied}), '[redacted]', v)), CAST(arrayMap(a -> (a.key, text_of(a.value)), e.attributes), 'Map(String, String)')), arrayMap(a -> toUInt8(type_of(a.value)), e.attributes)), span_events) AS events
        FROM valid
    ),
    named AS
    (
        SELECT
            *,
            arrayFirst(e -> e.2 = 'exception', events).3 AS exception_attributes,
            if(attributes['db.query.text'] != '', attributes['db.query.text'], attributes['db.statement']) AS statement,
            if(attributes['url.full'] != '', attributes['url.full'], attributes['http.url']) AS full_url
        FROM redacted
    )
SELECT
    fromUnixTimestamp64Nano(toInt64(start_ns), 'UTC') AS start_time,
    if(end_ns > start_ns, end_ns - start_ns, 0) AS duration_ns,
    toFixedString(substring(span_trace_id, 1, 16), 16) AS trace_id,
    toFixedString(substring(span_span_id, 1, 8), 8) AS span_id,
    toFixedString(substring(span_parent_span_id, 1, 8), 8) AS parent_span_id,
    toFixedString(substring(unhex(attributes['hotspan.entry.span_id']), 1, 8), 8) AS entry_span_id,
    span_trace_state AS trace_state,
    span_flags AS flags,
    span_name AS name,
    if(span_kind IN (1, 2, 3, 4, 5), span_kind, 0) AS kind,
    if(span_status_code IN (1, 2), span_status_code, 0) AS status,
    status_message,
    service, namespace, environment, version, process, resource, scope,
    attributes,
    span_attribute_types AS attribute_types,
    span_dropped_attributes AS dropped_attributes,
    events,
    span_dropped_events AS dropped_events,
    arrayMap(l -> (l.trace_id, l.span_id, l.trace_state, mapApply((k, v) -> (k, if(match(k, {denied}), '[redacted]', v)), CAST(arrayMap(a -> (a.key, text_of(a.value)), l.attributes), 'Map(String, String)')), arrayMap(a -> toUInt8(type_of(a.value)), l.attributes)), span_links) AS links,
    span_dropped_links AS dropped_links,
    if(attributes['db.system.name'] != '', attributes['db.system.name'], attributes['db.system']) AS db_system,
    statement AS db_statement,
    -- Driver placeholders become literals, so that normalizeQuery folds lists of them; SAVEPOINT
    -- names hold a thread id; a list of one is a list.
    if(statement = '', 0, cityHash64(replaceAll(normalizeQuery(replaceRegexpAll(
        replaceRegexpAll(toLowCardinality(statement), '%\\(\\w+\\)s|%s|\\$\\d+|\\?', '1'),
        '(?i)^((?:RELEASE |ROLLBACK TO )?SAVEPOINT ).*', '\\1')), '(?..)', '(?)'))) AS db_fingerprint,
    if(attributes['http.request.method'] != '', attributes['http.request.method'], attributes['http.method']) AS http_method,
    attributes['http.route'] AS http_route,
    toUInt16OrZero(if(attributes['http.response.status_code'] != '', attributes['http.response.status_code'], attributes['http.status_code'])) AS http_status,
    multiIf(
        full_url != '', full_url,
        attributes['url.path'] != '', concat(attributes['url.path'], if(attributes['url.query'] != '', concat('?', attributes['url.query']), '')),
        attributes['http.target']) AS url,
    multiIf(
        attributes['server.address'] != '', attributes['server.address'],
        full_url != '', domain(full_url),
        attributes['net.peer.name'] != '', attributes['net.peer.name'],
        attributes['http.host']) AS peer,
    attributes['messaging.message.id'] AS message_id,
    attributes['celery.task_name'] AS task,
    attributes['celery.state'] AS task_state,
    toUInt16OrZero(attributes['celery.retries']) AS task_retries,
    if(attributes['messaging.destination.name'] != '', attributes['messaging.destination.name'], attributes['messaging.destination']) AS queue,
    coalesce(nullIf(exception_attributes['exception.type'], ''), attributes['error.type']) AS exception_type,
    exception_attributes['exception.message'] AS exception_message,
    if(attributes['code.file.path'] != '', attributes['code.file.path'], attributes['code.filepath']) AS code_file,
    toUInt32OrZero(if(attributes['code.line.number'] != '', attributes['code.line.number'], attributes['code.lineno'])) AS code_line,
    if(attributes['code.function.name'] != '', attributes['code.function.name'], attributes['code.function']) AS code_function,
    own_retention_days AS retention_days
FROM named;
