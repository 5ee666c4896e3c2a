-- name: create_rule_calls
-- Calls to the outside made by the entries of a tick: HTTP, gRPC, SMTP, S3, language models. Where
-- one library calls by another (botocore by urllib3, openai by httpx), the outer span is the call.
CREATE OR REPLACE TABLE rule_calls
(
    entry_span_id FixedString(8),
    entry_kind LowCardinality(String),
    entry_duration_ns UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    start_ns UInt64,
    end_ns UInt64,
    duration_ns UInt64,
    -- method, host and path, without what differs from call to call
    target String,
    -- a language model is asked
    is_model Bool,
    http_status UInt16,
    exception_type LowCardinality(String),
    exception_message String,
    -- as configured; -1: none; NULL: not known
    timeout_s Nullable(Float64),
    timed_out Bool,
    -- NULL: not known
    in_transaction Nullable(Bool),
    in_signal Nullable(Bool),
    code_file LowCardinality(String),
    code_line UInt32,
    code_function LowCardinality(String)
)
ENGINE = Memory;

-- name: create_rule_tasks
-- The tasks among the entries of a tick, and how they ended.
CREATE OR REPLACE TABLE rule_tasks
(
    trace_id FixedString(16),
    entry_span_id FixedString(8),
    duration_ns UInt64,
    task LowCardinality(String),
    -- success, failure, exhausted (gave up after its retries), expected (an exception that the task
    -- declares or treats as normal), soft_timeout, hard_timeout, overrun (longer than a limit that
    -- its pool does not enforce), retry, revoked, expired, rejected, ignored, lost, unknown
    outcome LowCardinality(String),
    -- the worker said so; otherwise it is concluded from what stock spans have
    outcome_told Bool,
    retries UInt16,
    -- NULL: not known
    max_retries Nullable(Int32),
    -- '' where it is not known
    retry_policy LowCardinality(String),
    soft_limit_s Float64,
    hard_limit_s Float64,
    exception_type LowCardinality(String),
    exception_message String,
    -- connection, timeout, 5xx, lock: gone a moment later
    is_transient Bool,
    -- where it was raised, as the author of the task sees it
    code_file String,
    code_line UInt32,
    code_function String
)
ENGINE = Memory;

-- name: fill_rule_calls
INSERT INTO rule_calls
WITH
    calls AS
    (
        SELECT
            * EXCEPT (attributes),
            coalesce(
                toFloat64OrNull(attributes['hotspan.client.timeout_s']),
                -- what urllib3 writes into its message
                toFloat64OrNull(extract(exception_message, '\\((?:read|connect) timeout=([0-9.]+)\\)'))) AS own_timeout_s,
            toBoolOrNull(attributes['hotspan.client.in_transaction']) AS own_in_transaction,
            toBoolOrNull(attributes['hotspan.client.in_signal']) AS own_in_signal,
            match(concat(exception_type, ' ', exception_message), '(?i)timeout|timed out|DeadlineExceeded')
                OR attributes['rpc.grpc.status_code'] = '4' AS is_timed_out,
            attributes['gen_ai.system'] != '' OR attributes['gen_ai.provider.name'] != ''
                OR match(concat(peer, path(url)), '(?i)openai|anthropic|mistral|/llm/|/chat/completions|generativelanguage|bedrock') AS asks_model
        FROM rule_spans
        WHERE is_call
    ),
    inner_calls AS
    (
        SELECT
            trace_id,
            parent_span_id AS outer_span_id,
            any(own_timeout_s) AS timeout_s,
            max(own_in_transaction) AS in_transaction,
            max(own_in_signal) AS in_signal,
            max(is_timed_out) AS timed_out
        FROM calls
        WHERE (trace_id, parent_span_id) IN (SELECT trace_id, span_id FROM calls)
        GROUP BY trace_id, outer_span_id
    )
SELECT
    calls.entry_span_id, calls.entry_kind, calls.entry_duration_ns,
    calls.trace_id, calls.span_id, calls.start_ns, calls.end_ns, calls.duration_ns,
    if(
        calls.http_method = '',
        trimRight(concat(calls.name, ' ', calls.peer)),
        concat(
            calls.http_method, ' ', calls.peer,
            replaceRegexpAll(path(calls.url), '/(\\d+|[0-9a-fA-F]{8}-?[0-9a-fA-F-]{4,}|[0-9a-fA-F]{16,})', '/{id}'))),
    calls.asks_model,
    calls.http_status, calls.exception_type, calls.exception_message,
    coalesce(calls.own_timeout_s, inner_calls.timeout_s),
    calls.is_timed_out OR ifNull(inner_calls.timed_out, false),
    coalesce(calls.own_in_transaction, inner_calls.in_transaction),
    coalesce(calls.own_in_signal, inner_calls.in_signal),
    calls.code_file, calls.code_line, calls.code_function
FROM calls
LEFT JOIN inner_calls ON inner_calls.trace_id = calls.trace_id AND inner_calls.outer_span_id = calls.span_id
WHERE (calls.trace_id, calls.parent_span_id) NOT IN (SELECT trace_id, span_id FROM calls)

-- name: fill_rule_tasks
INSERT INTO rule_tasks
WITH
    -- celery.timelimit is an array, [hard, soft], and arrays are kept as the bytes that came:
    -- numbers of seconds as integers, or as text.
    limits -> substring(limits, 3, ascii(substring(limits, 2, 1))) AS first_item,
    limits -> substring(limits, 5 + ascii(substring(limits, 2, 1)), ascii(substring(limits, 4 + ascii(substring(limits, 2, 1)), 1))) AS second_item,
    item -> multiIf(
        startsWith(item, '\x0a'), toFloat64OrZero(substring(item, 3)),
        startsWith(item, '\x21'), reinterpretAsFloat64(substring(item, 2)),
        startsWith(item, '\x18'), arraySum((byte, place) -> bitAnd(byte, 127) * pow(128, place), arrayMap(c -> ascii(c), ngrams(substring(item, 2), 1)), range(length(item) - 1)),
        0) AS seconds_of,
    runs AS
    (
        SELECT
            trace_id, entry_span_id, duration_ns, task, task_state, task_retries, status, status_message,
            attributes['hotspan.task.outcome'] AS told,
            mapContains(attributes, 'hotspan.task.max_retries') AS is_enriched,
            toInt32OrNull(attributes['hotspan.task.max_retries']) AS known_max_retries,
            attributes['hotspan.task.retry_policy'] AS policy,
            attributes['hotspan.task.expected'] = 'true' AS is_expected,
            toFloat64(if(attributes['celery.timelimit'] = '', 0, seconds_of(first_item(attributes['celery.timelimit'])))) AS hard_s,
            toFloat64(if(attributes['celery.timelimit'] = '', 0, seconds_of(second_item(attributes['celery.timelimit'])))) AS soft_s,
            exception_type,
            if(exception_message != '', exception_message, status_message) AS message,
            told = 'failure' OR task_state = 'FAILURE' OR (told = '' AND task_state = '' AND status = 'error') AS has_failed,
            -- the last frame that is not a library's
            extractAllGroupsVertical(exception_stacktrace, 'File "([^"]+)", line (\\d+), in ([^\\n]+)') AS frames,
            arrayFilter(f -> NOT match(f[1], '/site-packages/|/dist-packages/|/lib/python[0-9.]+/|^<'), frames) AS own_frames,
            if(notEmpty(own_frames), own_frames[-1], frames[-1]) AS frame
        FROM rule_spans
        WHERE is_entry AND entry_kind = 'task'
    )
SELECT
    trace_id, entry_span_id, duration_ns, task,
    multiIf(
        told NOT IN ('', 'success', 'failure'), told,
        is_expected AND has_failed, 'expected',
        has_failed AND match(exception_type, 'SoftTimeLimitExceeded'), 'soft_timeout',
        has_failed AND (
            match(exception_type, 'MaxRetriesExceeded')
            OR (task_retries > 0 AND task_retries >= ifNull(known_max_retries, 1))), 'exhausted',
        has_failed, 'failure',
        -- The child was killed at its hard limit. With our instrumentation the main process says so
        -- with a span of its own.
        task_state = '' AND told = '' AND status = 'unset' AND NOT is_enriched
            AND hard_s > 0 AND duration_ns >= hard_s * 0.95e9, 'hard_timeout',
        (told = 'success' OR task_state = 'SUCCESS') AND greatest(soft_s, hard_s) > 0
            AND duration_ns > if(soft_s > 0, soft_s, hard_s) * 1.1e9, 'overrun',
        told != '', told,
        task_state != '', lower(task_state),
        'unknown'),
    told != '',
    task_retries, known_max_retries, policy, soft_s, hard_s,
    exception_type, substring(message, 1, 300),
    (match(exception_type, '(?i)timeout|timedout|connect|unavailable|operationalerror|interfaceerror|deadlock|locknotavailable|throttl|toomanyrequests|ratelimit|brokenpipe|gaierror|sslerror|incompleteread|chunkedencoding|protocolerror|disconnected|readerror|temporar')
        AND NOT match(message, '(?i)no such (table|column)|syntax error'))
        OR (match(exception_type, '(?i)HTTPError$|HTTPStatusError$|ResponseError$|ApiException$|APIError$|ClientError$|InternalServerError$')
            AND match(message, '(?i)(^|[\\s\'(])(429|5\\d\\d)\\s+(client|server|internal|bad|service|gateway|too)|(status|code|error)\\W{0,6}(429|5\\d\\d)\\b')),
    frame[1], toUInt32OrZero(frame[2]), frame[3]
FROM runs

-- name: empty_rule_calls
TRUNCATE TABLE rule_calls

-- name: empty_rule_tasks
TRUNCATE TABLE rule_tasks
