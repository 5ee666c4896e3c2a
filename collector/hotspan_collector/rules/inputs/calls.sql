-- Calls to the outside, for all rules that are about them.

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

-- name: fill_rule_calls
-- when: rule_spans WHERE is_call
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
            if(attributes['hotspan.client.in_transaction'] = '', NULL, attributes['hotspan.client.in_transaction'] = 'true') AS own_in_transaction,
            if(attributes['hotspan.client.in_signal'] = '', NULL, attributes['hotspan.client.in_signal'] = 'true') AS own_in_signal,
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
