-- name: create_tick_spans
-- The tables of a tick live in memory and are emptied by the next one: they hold what has just come,
-- not what is stored.
CREATE OR REPLACE TABLE tick_spans
(
    trace_id FixedString(16),
    span_id FixedString(8),
    parent_span_id FixedString(8),
    entry_hint FixedString(8),
    -- NULL: the SDK does not say
    parent_is_remote Nullable(Bool),
    process UInt64,
    start_time DateTime64(9, 'UTC'),
    start_ns UInt64,
    end_ns UInt64,
    duration_ns UInt64,
    inserted_at DateTime64(3, 'UTC'),
    name LowCardinality(String),
    kind LowCardinality(String),
    status LowCardinality(String),
    status_message String,
    trace_state String,
    service LowCardinality(String),
    namespace LowCardinality(String),
    environment LowCardinality(String),
    version LowCardinality(String),
    db_system LowCardinality(String),
    db_statement String,
    db_fingerprint UInt64,
    http_method LowCardinality(String),
    http_route LowCardinality(String),
    http_status UInt16,
    url String,
    peer LowCardinality(String),
    message_id String,
    task LowCardinality(String),
    task_state LowCardinality(String),
    task_retries UInt16,
    queue LowCardinality(String),
    exception_type LowCardinality(String),
    exception_message String,
    exception_stacktrace String,
    code_file LowCardinality(String),
    code_line UInt32,
    code_function LowCardinality(String),
    attributes Map(LowCardinality(String), String),
    -- SERVER and CONSUMER spans: work may enter here
    is_candidate Bool,
    -- a statement to a database, other than what a driver sends when it connects
    is_query Bool,
    -- a call to the outside that is no database
    is_call Bool,
    -- opens a connection: the span says so, or it is what Django sends first over a new one
    is_connect Bool,
    is_transaction Bool,
    returned_rows UInt64,
    -- of a query: system, host and name of the database
    database LowCardinality(String)
)
ENGINE = Memory;

-- name: create_tick_shared_ids
-- Spans that came twice, and others that share an id: they would count twice, and be joined with each
-- other at every hop: squared, and squared again.
CREATE OR REPLACE TABLE tick_shared_ids (trace_id FixedString(16), span_id FixedString(8)) ENGINE = Memory;

-- name: fill_tick_shared_ids
INSERT INTO tick_shared_ids
SELECT trace_id, span_id FROM tick_spans GROUP BY trace_id, span_id HAVING count() > 1

-- name: forget_tick_spans
TRUNCATE TABLE tick_spans

-- name: create_tick_hops
-- Pointer jumping: `pointer` of a span leads towards its entry, twice as far with each step.
CREATE OR REPLACE TABLE tick_hops
(
    step UInt8,
    trace_id FixedString(16),
    span_id FixedString(8),
    pointer FixedString(8)
)
ENGINE = Memory;

-- name: create_tick_members
CREATE OR REPLACE TABLE tick_members
(
    trace_id FixedString(16),
    span_id FixedString(8),
    entry_span_id FixedString(8)
)
ENGINE = Memory;

-- name: create_tick_entries
CREATE OR REPLACE TABLE tick_entries
(
    trace_id FixedString(16),
    entry_span_id FixedString(8),
    start_time DateTime64(9, 'UTC'),
    duration_ns UInt64,
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
    weight Float64,
    partial Bool,
    spans UInt32,
    db_queries UInt32,
    db_time_ns UInt64,
    db_distinct UInt32,
    http_calls UInt32,
    http_time_ns UInt64,
    checksum UInt64,
    counters Map(LowCardinality(String), Float64),
    task_outcome LowCardinality(String),
    queue LowCardinality(String),
    queue_wait_ms Nullable(Float32),
    db_rows UInt64,
    db_max_rows UInt64,
    databases Map(LowCardinality(String), UInt64),
    settled Bool,
    changed Bool
)
ENGINE = Memory;

-- name: create_tick_known
-- What is stored of the entries of these traces.
CREATE OR REPLACE TABLE tick_known
(
    trace_id FixedString(16),
    entry_span_id FixedString(8),
    start_time DateTime64(9, 'UTC'),
    duration_ns UInt64,
    service LowCardinality(String),
    namespace LowCardinality(String),
    environment LowCardinality(String),
    version LowCardinality(String),
    kind LowCardinality(String),
    name LowCardinality(String),
    checksum UInt64,
    generation UInt64,
    deleted UInt8
)
ENGINE = Memory;

-- name: create_rule_entries
-- What rules read: the entries that are evaluated in this tick …
CREATE OR REPLACE TABLE rule_entries AS tick_entries ENGINE = Memory;

-- name: create_rule_spans
-- … and their spans.
CREATE OR REPLACE TABLE rule_spans
(
    entry_span_id FixedString(8),
    entry_kind LowCardinality(String),
    entry_name LowCardinality(String),
    entry_duration_ns UInt64,
    is_entry Bool,
    trace_id FixedString(16),
    span_id FixedString(8),
    parent_span_id FixedString(8),
    start_ns UInt64,
    end_ns UInt64,
    duration_ns UInt64,
    name LowCardinality(String),
    kind LowCardinality(String),
    status LowCardinality(String),
    status_message String,
    service LowCardinality(String),
    db_system LowCardinality(String),
    db_statement String,
    db_fingerprint UInt64,
    http_method LowCardinality(String),
    http_route LowCardinality(String),
    http_status UInt16,
    url String,
    peer LowCardinality(String),
    message_id String,
    task LowCardinality(String),
    task_state LowCardinality(String),
    task_retries UInt16,
    exception_type LowCardinality(String),
    exception_message String,
    exception_stacktrace String,
    code_file LowCardinality(String),
    code_line UInt32,
    code_function LowCardinality(String),
    -- all of the span's attributes, as text; the columns above are the same in both dialects
    attributes Map(LowCardinality(String), String),
    is_query Bool,
    is_call Bool,
    is_connect Bool,
    is_transaction Bool,
    returned_rows UInt64
)
ENGINE = Memory;

-- name: store_now
SELECT toUnixTimestamp64Milli(now64(3, 'UTC')) AS now_ms

-- name: fill_trace_bounds
INSERT INTO trace_bounds
SELECT trace_id, min(start_time), max(addNanoseconds(start_time, duration_ns))
FROM spans
WHERE inserted_at > fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
    AND trace_id IN (SELECT trace_id FROM tick_traces)
GROUP BY trace_id

-- name: bounds_of_traces
SELECT
    toUnixTimestamp64Nano(min(started)) AS first_ns,
    toUnixTimestamp64Nano(max(ended)) AS last_ns
FROM trace_bounds
WHERE trace_id IN (SELECT trace_id FROM tick_traces)

-- name: fill_tick_spans
INSERT INTO tick_spans
SELECT
    trace_id, span_id, parent_span_id, entry_span_id,
    if(bitTest(flags, 8), bitTest(flags, 9), NULL) AS parent_is_remote,
    process,
    start_time,
    toUInt64(toUnixTimestamp64Nano(start_time)) AS start_ns,
    start_ns + duration_ns AS end_ns,
    duration_ns,
    inserted_at,
    name, kind, status, status_message, trace_state,
    service, namespace, environment, version,
    db_system, db_statement, db_fingerprint,
    http_method, http_route, http_status, url, peer,
    message_id, task, task_state, task_retries, queue,
    exception_type, exception_message,
    if(exception_type = '', '', arrayFirst(e -> e.name = 'exception', events).attributes['exception.stacktrace']) AS exception_stacktrace,
    code_file, code_line, code_function,
    attributes,
    kind IN ('server', 'consumer') AS is_candidate,
    kind = 'client'
        AND db_statement != ''
        AND db_system NOT IN ('', 'redis', 'memcached')
        -- QUOTE(…): Django's own, for its log, on SQLite with DEBUG
        AND NOT match(db_statement, '(?i)^(SELECT set_config\\(|SELECT QUOTE\\(|SET SESSION TRANSACTION|BEGIN|COMMIT|SAVEPOINT|RELEASE|ROLLBACK|PRAGMA)') AS is_query,
    kind = 'client'
        AND db_system = ''
        AND (http_method != '' OR peer != '' OR attributes['rpc.system'] != '' OR attributes['gen_ai.system'] != '')
        AND attributes['hotspan.db.connect'] = ''
        -- waiting for messages is no call
        AND attributes['rpc.method'] != 'ReceiveMessage' AS is_call,
    kind = 'client' AND (
        attributes['hotspan.db.connect'] = 'true'
        OR match(db_statement, '(?i)^(SELECT set_config\\(|SET SESSION TRANSACTION ISOLATION)')) AS is_connect,
    attributes['hotspan.tx.outcome'] != '' AS is_transaction,
    if(is_query, toUInt64OrZero(attributes['db.response.returned_rows']), 0) AS returned_rows,
    if(
        is_query,
        arrayStringConcat(arrayFilter(part -> part != '', [
            toString(db_system),
            toString(peer),
            if(attributes['db.namespace'] != '', attributes['db.namespace'], attributes['db.name'])]), ' '),
        '') AS database
FROM spans
WHERE trace_id IN (SELECT trace_id FROM tick_traces)
    AND start_time >= fromUnixTimestamp64Nano({first_ns:Int64}, 'UTC')
    AND start_time <= fromUnixTimestamp64Nano({last_ns:Int64}, 'UTC')
    AND {which}

-- name: every_id
true

-- name: own_id
-- Most spans: nothing else has their id.
(trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM tick_shared_ids)

-- name: shared_id
(trace_id, span_id) IN (SELECT trace_id, span_id FROM tick_shared_ids)
ORDER BY trace_id, span_id, inserted_at DESC, service, start_time
LIMIT 1 BY trace_id, span_id

-- name: first_hop
-- A candidate points at itself, and so does a root; every other span at its parent, or at its entry
-- where the process has said which one it is.
INSERT INTO tick_hops
SELECT
    0,
    trace_id,
    span_id,
    multiIf(
        is_candidate OR parent_span_id IN (toFixedString('', 8), span_id), span_id,
        entry_hint != toFixedString('', 8), entry_hint,
        parent_span_id)
FROM tick_spans

-- name: next_hop
INSERT INTO tick_hops
SELECT
    {step:UInt8},
    hop.trace_id,
    hop.span_id,
    if(beyond.pointer = toFixedString('', 8), hop.pointer, beyond.pointer)
FROM (SELECT * FROM tick_hops WHERE step = {step:UInt8} - 1) AS hop
LEFT JOIN (SELECT * FROM tick_hops WHERE step = {step:UInt8} - 1) AS beyond
    ON hop.trace_id = beyond.trace_id AND hop.pointer = beyond.span_id

-- name: hops_on
-- Whether there is anywhere to go: a pointer leads to a span that points on.
SELECT count() AS moving
FROM tick_hops
WHERE step = {step:UInt8}
    AND (trace_id, pointer) IN (SELECT trace_id, span_id FROM tick_hops WHERE step = {step:UInt8} AND pointer != span_id)

-- name: nested
-- A candidate below another one in the same process is no entry. It points on to the one it lies in,
-- if these are there:
tick_spans
WHERE is_candidate
    AND parent_span_id != toFixedString('', 8)
    AND NOT ifNull(parent_is_remote, false)
    AND (trace_id, parent_span_id) IN
    (
        SELECT trace_id, span_id
        FROM tick_spans
        -- below a call or a publication is another process, whoever forgets to say so
        WHERE kind NOT IN ('client', 'producer')
            AND (trace_id, span_id) IN (SELECT trace_id, parent_span_id FROM tick_spans WHERE is_candidate)
    )

-- name: hop_out
INSERT INTO tick_hops
WITH outwards AS
(
    SELECT
        inner_span.trace_id AS trace_id,
        inner_span.span_id AS span_id,
        outer_span.span_id AS outer_span_id
    FROM (SELECT trace_id, span_id, parent_span_id, process FROM {nested}) AS inner_span
    INNER JOIN (SELECT * FROM tick_hops WHERE step = {step:UInt8}) AS above
        ON above.trace_id = inner_span.trace_id AND above.span_id = inner_span.parent_span_id
    INNER JOIN (SELECT trace_id, span_id, process FROM tick_spans WHERE is_candidate) AS outer_span
        ON outer_span.trace_id = above.trace_id AND outer_span.span_id = above.pointer
    WHERE outer_span.process = inner_span.process AND outer_span.span_id != inner_span.span_id
)
SELECT
    {step:UInt8} + 1,
    hop.trace_id,
    hop.span_id,
    if(outwards.outer_span_id = toFixedString('', 8), hop.pointer, outwards.outer_span_id)
FROM (SELECT * FROM tick_hops WHERE step = {step:UInt8}) AS hop
LEFT JOIN outwards ON outwards.trace_id = hop.trace_id AND outwards.span_id = hop.span_id

-- name: fill_tick_members
-- Which entry each span belongs to: where the jumping ended.
INSERT INTO tick_members
SELECT hop.trace_id, hop.span_id, hop.pointer
FROM (SELECT * FROM tick_hops WHERE step = {step:UInt8}) AS hop
LEFT JOIN (SELECT trace_id, span_id, kind, parent_span_id, is_candidate FROM tick_spans) AS own
    ON own.trace_id = hop.trace_id AND own.span_id = hop.pointer
-- Not there: an entry whose own span is missing. A root that is neither candidate nor INTERNAL
-- (a worker's bookkeeping) is no entry, and neither is a circle of parents.
WHERE own.span_id = toFixedString('', 8)
    OR own.is_candidate
    OR (own.kind = 'internal' AND own.parent_span_id = toFixedString('', 8))

-- name: fill_tick_known
INSERT INTO tick_known
SELECT
    trace_id, entry_span_id, start_time, duration_ns, service, namespace, environment, version,
    kind, name, checksum, generation, deleted
FROM entries FINAL
WHERE trace_id IN (SELECT trace_id FROM tick_traces)
    AND start_time >= fromUnixTimestamp64Nano({first_ns:Int64}, 'UTC')
    AND start_time <= fromUnixTimestamp64Nano({last_ns:Int64}, 'UTC')

-- name: fill_tick_entries
INSERT INTO tick_entries
WITH
    totals AS
    (
        SELECT
            member.trace_id AS trace_id,
            member.entry_span_id AS entry_span_id,
            -- of those whose own span is missing
            min(start_time) AS first_start,
            max(end_ns) - min(start_ns) AS length_ns,
            min(inserted_at) AS first_inserted_at,
            any((service, namespace, environment, version)) AS of_any,
            sum(returned_rows) AS row_count,
            max(returned_rows) AS max_row_count,
            sumMap(if(is_query, map(toString(database), duration_ns), map())) AS entry_databases,
            count() AS span_count,
            countIf(is_query) AS query_count,
            intervalLengthSumIf(start_ns, end_ns, is_query) AS query_ns,
            uniqExactIf(db_fingerprint, is_query) AS distinct_queries,
            countIf(is_call) AS call_count,
            intervalLengthSumIf(start_ns, end_ns, is_call) AS call_ns,
            groupBitXor(cityHash64(span.span_id, start_ns, duration_ns)) AS entry_checksum
        FROM tick_members AS member
        INNER JOIN tick_spans AS span
            ON span.trace_id = member.trace_id AND span.span_id = member.span_id
        GROUP BY member.trace_id, member.entry_span_id
    ),
    owns AS
    (
        SELECT
            *,
            true AS is_there,
            attributes['hotspan.task.outcome'] AS task_outcome,
            attributes['hotspan.task.queue_wait_ms'] AS told_queue_wait,
            parseDateTime64BestEffortOrNull(attributes['celery.eta'], 9, 'UTC') AS eta,
            extract(trace_state, 'ot=(?:[^,]*;)?th:([0-9a-f]{1,14})') AS threshold,
            mapApply((k, v) -> (k, toFloat64OrZero(v)), mapFilter(
                (k, v) -> (startsWith(k, 'hotspan.') OR k = 'http.response.body.size') AND NOT endsWith(k, 'span_id') AND isNotNull(toFloat64OrNull(v)),
                attributes)) AS counters
        FROM tick_spans
        WHERE is_candidate OR (kind = 'internal' AND parent_span_id = toFixedString('', 8))
    ),
    computed AS
    (
        SELECT
            totals.*,
            own.is_there AS has_own,
            if(has_own, own.start_time, first_start) AS entry_start,
            if(has_own, own.duration_ns, length_ns) AS entry_duration_ns,
            if(has_own, own.service, of_any.1) AS entry_service,
            if(has_own, own.namespace, of_any.2) AS entry_namespace,
            if(has_own, own.environment, of_any.3) AS entry_environment,
            if(has_own, own.version, of_any.4) AS entry_version,
            multiIf(own.kind = 'consumer', 'task', own.kind = 'internal', 'command', 'web') AS entry_kind,
            multiIf(NOT has_own, '(root span missing)', own.task != '', own.task, own.name) AS entry_name,
            own.http_status AS own_http_status,
            own.task_state AS own_task_state,
            multiIf(
                own.task_state != '', own.task_state = 'FAILURE',
                own.http_status != 0, own.http_status >= 500,
                own.status = 'error') AS entry_error,
            own.task_retries AS own_task_retries,
            own.message_id AS own_message_id,
            own.task_outcome AS own_task_outcome,
            own.queue AS own_queue,
            own.parent_span_id AS own_parent_span_id,
            own.told_queue_wait AS own_queue_wait,
            own.eta AS own_eta,
            1 / greatest(1e-6, 1 - reinterpretAsUInt64(reverse(unhex(concat('00', rightPad(own.threshold, 14, '0'))))) / pow(2, 56)) AS entry_weight,
            own.counters AS entry_counters,
            if(has_own,
                {now_ms:Int64} - toUnixTimestamp64Milli(own.inserted_at) >= {settle_ms:Int64},
                {now_ms:Int64} - toUnixTimestamp64Milli(first_inserted_at) >= {settle_incomplete_ms:Int64}) AS is_settled
        FROM totals
        LEFT JOIN owns AS own ON own.trace_id = totals.trace_id AND own.span_id = totals.entry_span_id
    )
SELECT
    computed.trace_id, computed.entry_span_id, entry_start, entry_duration_ns,
    entry_service, entry_namespace, entry_environment, entry_version,
    entry_kind, entry_name, entry_error, own_http_status, own_task_state, own_task_retries,
    own_message_id, entry_weight, NOT has_own, span_count,
    query_count, query_ns, distinct_queries, call_count, call_ns,
    entry_checksum, entry_counters,
    own_task_outcome, own_queue,
    -- where the instrumentation does not say: since it was published, or since it was due
    if(entry_kind != 'task', NULL, coalesce(
        toFloat32OrNull(own_queue_wait),
        if(publication.published_ns = 0, NULL, greatest(0, least(
            toInt64(toUnixTimestamp64Nano(entry_start)) - toInt64(publication.published_ns),
            toInt64(toUnixTimestamp64Nano(entry_start)) - ifNull(toUnixTimestamp64Nano(own_eta), 0))) / 1e6))),
    row_count, max_row_count, entry_databases,
    is_settled,
    entry_checksum != known.checksum OR known.deleted OR known.generation = 0 AS is_changed
FROM computed
LEFT JOIN (SELECT trace_id, span_id, end_ns AS published_ns FROM tick_spans WHERE kind = 'producer') AS publication
    ON publication.trace_id = computed.trace_id AND publication.span_id = computed.own_parent_span_id
-- One that was partial may have been written with another kind or start, which order the table.
LEFT JOIN
(
    SELECT *
    FROM tick_known
    ORDER BY generation DESC, deleted
    LIMIT 1 BY trace_id, entry_span_id
) AS known
    ON known.trace_id = computed.trace_id AND known.entry_span_id = computed.entry_span_id

-- name: count_tick_entries
SELECT
    countIf(changed AND settled) AS ready,
    maxIf(start_time, changed AND settled) AS newest,
    countIf(changed AND NOT settled) AS unsettled,
    (SELECT count() FROM tick_known) AS known
FROM tick_entries

-- name: fill_rule_entries
INSERT INTO rule_entries SELECT * FROM tick_entries WHERE changed AND settled

-- name: fill_rule_spans
INSERT INTO rule_spans
SELECT
    entry.entry_span_id, entry.kind, entry.name, entry.duration_ns,
    span.span_id = entry.entry_span_id,
    span.trace_id, span.span_id, span.parent_span_id,
    span.start_ns, span.end_ns, span.duration_ns,
    span.name, span.kind, span.status, span.status_message, span.service,
    span.db_system, span.db_statement, span.db_fingerprint,
    span.http_method, span.http_route, span.http_status, span.url, span.peer,
    span.message_id, span.task, span.task_state, span.task_retries,
    span.exception_type, span.exception_message, span.exception_stacktrace,
    span.code_file, span.code_line, span.code_function,
    span.attributes,
    span.is_query, span.is_call, span.is_connect, span.is_transaction, span.returned_rows
FROM tick_members AS member
INNER JOIN rule_entries AS entry
    ON entry.trace_id = member.trace_id AND entry.entry_span_id = member.entry_span_id
INNER JOIN tick_spans AS span
    ON span.trace_id = member.trace_id AND span.span_id = member.span_id

-- name: create_rule_found
-- What the rules return in this tick.
CREATE OR REPLACE TABLE rule_found
(
    rule LowCardinality(String),
    about LowCardinality(String),
    trace_id FixedString(16),
    entry_span_id FixedString(8),
    identity String,
    severity LowCardinality(String),
    confidence LowCardinality(String),
    count UInt32,
    wasted_ns UInt64,
    statement String,
    details Map(LowCardinality(String), String),
    missing Array(LowCardinality(String)),
    span_ids Array(FixedString(8)),
    suggestion LowCardinality(String),
    code_file LowCardinality(String),
    code_line UInt32,
    code_function LowCardinality(String)
)
ENGINE = Memory;

-- name: find
INSERT INTO rule_found
SELECT
    {rule:String}, {about:String},
    trace_id, entry_span_id, identity, severity, confidence, count, wasted_ns, statement,
    details, missing, span_ids, suggestion, code_file, code_line, code_function
FROM
(
{rule_sql}
)

-- name: count_rule_found
SELECT count() AS found FROM rule_found

-- name: insert_findings
INSERT INTO findings
(
    fingerprint, rule, trace_id, entry_span_id, entry_start, entry_duration_ns,
    service, namespace, environment, version, entry_kind, entry_name, weight,
    identity, severity, confidence, count, wasted_ns, statement, details, missing, span_ids,
    suggestion, code_file, code_line, code_function, site, generation
)
SELECT
    concat('v1:', lower(hex(sipHash128(
        toString(found.rule), entry.namespace, entry.service, entry.environment, shown_name, found.identity)))),
    found.rule,
    entry.trace_id, entry.entry_span_id, entry.start_time, entry.duration_ns,
    entry.service, entry.namespace, entry.environment, entry.version, entry.kind,
    if(found.about = 'service', '', entry.name) AS shown_name, entry.weight,
    found.identity, found.severity, found.confidence, found.count, found.wasted_ns, found.statement,
    found.details, found.missing, found.span_ids,
    found.suggestion, found.code_file, found.code_line, found.code_function,
    cityHash64(toString(found.code_file), toUInt32(found.code_line), toString(found.code_function)),
    {generation:UInt64}
FROM rule_found AS found
INNER JOIN rule_entries AS entry
    ON entry.trace_id = found.trace_id AND entry.entry_span_id = found.entry_span_id
WHERE found.rule NOT IN {failed:Array(String)}

-- name: insert_statements
INSERT INTO statements
SELECT
    db_fingerprint,
    normalizeQuery(replaceRegexpAll(any(db_statement), '%\\(\\w+\\)s|%s|\\$\\d+|\\?', '1')),
    now()
FROM rule_spans
WHERE is_query AND db_fingerprint NOT IN (SELECT fingerprint FROM statements)
GROUP BY db_fingerprint

-- name: insert_publications
-- Of every trace that is looked at: whoever published a task is found out by and by.
INSERT INTO publications
SELECT
    span.start_time, span.trace_id, span.span_id, member.entry_span_id,
    span.service, span.namespace, span.environment, span.version,
    span.task, span.queue, span.message_id,
    parseDateTime64BestEffortOrNull(span.attributes['celery.eta'], 3, 'UTC'),
    parseDateTime64BestEffortOrNull(span.attributes['celery.expires'], 3, 'UTC'),
    {generation:UInt64}
FROM tick_spans AS span
LEFT JOIN tick_members AS member
    ON member.trace_id = span.trace_id AND member.span_id = span.span_id
WHERE span.kind = 'producer' AND span.task != '' AND span.message_id != ''

-- name: insert_entries
INSERT INTO entries
(
    trace_id, entry_span_id, start_time, duration_ns, service, namespace, environment, version,
    kind, name, error, http_status, task_state, task_retries, message_id, weight, partial, spans,
    db_queries, db_time_ns, db_distinct, http_calls, http_time_ns, checksum, counters,
    task_outcome, queue, queue_wait_ms, db_rows, db_max_rows, databases,
    statements, evaluated_at, generation, deleted
)
SELECT
    entry.* EXCEPT (settled, changed),
    statements_of.statements,
    now64(3, 'UTC'),
    {generation:UInt64},
    0
FROM rule_entries AS entry
LEFT JOIN
(
    SELECT
        trace_id,
        entry_span_id,
        arraySlice(arraySort(s -> -s.5, groupArray((db_fingerprint, param_hash, is_write, n, time_ns))), 1, 100) AS statements
    FROM
    (
        SELECT
            trace_id,
            entry_span_id,
            db_fingerprint,
            attributes['hotspan.db.param_hash'] AS param_hash,
            any(match(db_statement, '(?i)^\\s*(INSERT|UPDATE|DELETE|MERGE|REPLACE)\\b')) AS is_write,
            count() AS n,
            sum(duration_ns) AS time_ns
        FROM rule_spans
        WHERE is_query
        GROUP BY trace_id, entry_span_id, db_fingerprint, param_hash
    )
    GROUP BY trace_id, entry_span_id
) AS statements_of
    ON statements_of.trace_id = entry.trace_id AND statements_of.entry_span_id = entry.entry_span_id

-- name: bury_entries
-- Entries that are none any more: their spans turned out to belong to another, or their own span
-- has come and says another kind or start.
INSERT INTO entries
(
    trace_id, entry_span_id, start_time, duration_ns, service, namespace, environment, version,
    kind, name, evaluated_at, generation, deleted
)
SELECT
    trace_id, entry_span_id, start_time, duration_ns, service, namespace, environment, version,
    kind, name, now64(3, 'UTC'), {generation:UInt64}, 1
FROM tick_known
WHERE NOT deleted
    AND (
        (trace_id, entry_span_id) NOT IN (SELECT trace_id, entry_span_id FROM tick_entries)
        OR (
            (trace_id, entry_span_id) IN (SELECT trace_id, entry_span_id FROM rule_entries)
            -- by the table's key: a row that has it still is replaced
            AND (trace_id, entry_span_id, service, kind, toStartOfFiveMinutes(start_time)) NOT IN (
                SELECT trace_id, entry_span_id, service, kind, toStartOfFiveMinutes(start_time) FROM rule_entries)))

-- name: fill_tick_hits
-- Those that the entries have, or had, which were written since the last evaluation that was
-- finished: by this one, and by one that a crash ended after its entries.
INSERT INTO tick_hits
WITH evaluated AS
(
    SELECT trace_id FROM entries
    WHERE generation > {finished:UInt64}
        AND start_time >= fromUnixTimestamp64Nano({first_ns:Int64}, 'UTC')
        AND start_time <= fromUnixTimestamp64Nano({last_ns:Int64}, 'UTC')
        AND trace_id IN (SELECT trace_id FROM tick_traces)
)
SELECT DISTINCT fingerprint, toStartOfFiveMinutes(entry_start)
FROM findings
WHERE entry_start >= fromUnixTimestamp64Nano({first_ns:Int64}, 'UTC')
    AND entry_start <= fromUnixTimestamp64Nano({last_ns:Int64}, 'UTC')
    AND trace_id IN evaluated

-- name: count_tick_spans
SELECT
    count() AS spans,
    uniqExact(trace_id, span_id) AS ids,
    countIf(kind = 'producer') AS publications,
    countIf(is_candidate AND parent_span_id != toFixedString('', 8) AND NOT ifNull(parent_is_remote, false)) AS perhaps_nested
FROM tick_spans
