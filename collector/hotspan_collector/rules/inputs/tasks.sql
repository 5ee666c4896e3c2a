-- How tasks ended, so that the rules about them exclude each other.

-- name: create_rule_tasks
-- The tasks among the entries of a tick, and how they ended.
CREATE OR REPLACE TABLE rule_tasks
(
    trace_id FixedString(16),
    entry_span_id FixedString(8),
    duration_ns UInt64,
    task LowCardinality(String),
    -- success, failure, exhausted (gave up after its retries), expected (an exception that the task
    -- declares or treats as normal), soft_timeout, caught (its soft limit was over, and it ended by
    -- itself), hard_timeout, overrun (longer than a limit that its pool does not enforce), retry,
    -- revoked, expired, rejected, ignored, lost, unknown
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

-- name: fill_rule_tasks
-- when: rule_entries WHERE kind = 'task'
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
            attributes['hotspan.task.soft_limit_passed'] = 'true' AS passed_soft_limit,
            coalesce(
                toFloat64OrNull(attributes['hotspan.task.time_limit_s']),
                seconds_of(first_item(attributes['celery.timelimit'])), 0) AS hard_s,
            coalesce(
                toFloat64OrNull(attributes['hotspan.task.soft_time_limit_s']),
                seconds_of(second_item(attributes['celery.timelimit'])), 0) AS soft_s,
            exception_type,
            if(exception_message != '', exception_message, status_message) AS message,
            told = 'failure' OR task_state = 'FAILURE' OR (told = '' AND task_state = '' AND status = 'error') AS has_failed,
            -- the last frame that is not a library's
            extractAllGroupsVertical(exception_stacktrace, 'File "([^"]+)", line (\\d+), in ([^\\n]+)') AS frames,
            arrayFilter(f -> NOT match(f[1], '/site-packages/|/dist-packages/|/hotspan_instrumentation/|/lib/python[0-9.]+/|^<'), frames) AS own_frames,
            if(notEmpty(own_frames), own_frames[-1], frames[-1]) AS frame
        FROM rule_spans
        WHERE is_entry AND entry_kind = 'task'
    )
SELECT
    trace_id, entry_span_id, duration_ns, task,
    multiIf(
        told NOT IN ('', 'success', 'failure'), told,
        -- The exception may be the task's own, raised from SoftTimeLimitExceeded.
        has_failed AND (passed_soft_limit OR match(exception_type, 'SoftTimeLimitExceeded')), 'soft_timeout',
        is_expected AND has_failed, 'expected',
        passed_soft_limit AND (told = 'success' OR task_state = 'SUCCESS'), 'caught',
        has_failed AND (
            match(exception_type, 'MaxRetriesExceeded')
            -- -1: without end
            OR (task_retries > 0 AND task_retries >= ifNull(nullIf(known_max_retries, -1), if(is_enriched, 65535, 1)))), 'exhausted',
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
