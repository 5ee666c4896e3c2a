/*
id = "blocking_time"
title = "Time that nothing accounts for"
finds = "Requests and tasks that spend most of their time neither in the database nor in a call: time.sleep, locks, computing, I/O that is not instrumented."
why = """
A worker that sleeps or waits for a lock serves nobody, and no query or call shows why. If it
computes, no index and no cache of queries will make it faster.
"""
when = "rule_entries WHERE kind IN ('web', 'task') AND duration_ns >= greatest(db_time_ns, http_time_ns) + least({web_ms:Float64}, {task_ms:Float64}) * 1e6"
needs = ["hotspan.cpu_ms", "hotspan.run_delay_ms", "code.file.path"]
opens_at_once = false
critical_hits_per_hour = 0
summary = "{wasted} of one {entry_kind} ({share} %) are spent {doing}, the longest stretch of {gap_ms} ms {where}"

[settings.web_ms]
type = "Float64"
default = 300
unit = "ms"
reason = "More than a page may take altogether."

[settings.task_ms]
type = "Float64"
default = 300
unit = "ms"
reason = "A worker that waits could run other tasks."

[settings.share_percent]
type = "Float64"
default = 50
unit = "% of the entry"
reason = "Less is the ordinary cost of running Python."

[settings.per_call_ms]
type = "Float64"
default = 5
unit = "ms a call"
reason = "What it takes in Python to make a call and to use its answer; many calls are found by other rules."

[suggestions]
waiting = "It waits {where}: remove time.sleep() (a debounce belongs in a task with countdown, or in the browser), do not wait for locks or files in a request, and let what takes long run as a Celery task."
waiting_task = "The task waits {where}: instead of time.sleep() use self.retry(countdown=…) or apply_async(countdown=…), so that the worker is free meanwhile."
computing = "It computes {where}: profile it there (py-spy record --pid, cProfile). Often it is building many model instances (values_list, only), serializing, or a loop that the database could do."
unknown = "Look {where}: if it waits (time.sleep, locks, files), take that out or into a Celery task; if it computes, profile it (py-spy record --pid)."
*/
WITH
    accounted AS
    (
        SELECT
            trace_id,
            entry_span_id,
            any(entry_kind) AS entry_type,
            any(entry_duration_ns) AS whole_ns,
            anyIf(start_ns, is_entry) AS entry_start_ns,
            entry_start_ns + whole_ns AS entry_end_ns,
            max(is_entry) AS has_own,
            anyIf(http_method, is_entry) AS method,
            position(anyIf(attributes['http.response.header.content-type'], is_entry), 'text/event-stream') > 0 AS streams_events,
            toFloat64OrNull(anyIf(attributes['hotspan.cpu_ms'], is_entry)) AS cpu_ms,
            toFloat64OrZero(anyIf(attributes['hotspan.run_delay_ms'], is_entry)) AS run_delay_ms,
            -- what was dropped on the way is in the counters
            toUInt64(1e6 * (toFloat64OrZero(anyIf(attributes['hotspan.db.time_ms'], is_entry))
                + toFloat64OrZero(anyIf(attributes['hotspan.http.time_ms'], is_entry)))) AS counted_ns,
            toFloat64OrZero(anyIf(attributes['hotspan.spans_dropped'], is_entry)) > 0 AS incomplete,
            -- made for a process that was killed, whose other spans are lost
            anyIf(attributes['hotspan.synthetic'], is_entry) = 'true' AS synthetic,
            -- Spans inside the process (a transaction, a middleware) name the time, they do not explain it.
            intervalLengthSumIf(start_ns, end_ns, NOT is_entry AND kind IN ('client', 'producer')) AS children_ns
        FROM rule_spans
        WHERE entry_kind IN ('web', 'task')
            AND entry_duration_ns >= least({web_ms:Float64}, {task_ms:Float64}) * 1e6
        GROUP BY trace_id, entry_span_id
    ),
    blocked AS
    (
        SELECT
            *,
            -- Waiting for a core is the machine's affair.
            whole_ns - least(whole_ns, greatest(children_ns, if(incomplete, counted_ns, 0)) + toUInt64(1e6 * run_delay_ms)) AS self_ns,
            if(entry_type = 'web', {web_ms:Float64}, {task_ms:Float64}) * 1e6 AS least_ns,
            ifNull(cpu_ms, 0) * 1e6 AS cpu_ns
        FROM accounted
        WHERE has_own
            AND NOT synthetic
            -- a websocket stays open, and so does a stream of events
            AND (entry_type = 'task' OR (method != '' AND NOT streams_events))
            AND self_ns >= least_ns
            AND self_ns >= whole_ns * {share_percent:Float64} / 100
    ),
    -- the calls, and what ends last of those before each
    steps AS
    (
        SELECT
            *,
            (argMax(step, ends_ns) OVER earlier) AS before,
            max(ends_ns) OVER earlier AS since_ns
        FROM
        (
            SELECT
                blocked.*,
                span.span_id != toFixedString('', 8) AS is_call,
                least(greatest(span.start_ns, entry_start_ns), entry_end_ns) AS begins_ns,
                least(greatest(span.end_ns, entry_start_ns), entry_end_ns) AS ends_ns,
                (span.span_id, toString(span.name), toString(span.code_file), span.code_line, toString(span.code_function)) AS step
            FROM blocked
            LEFT JOIN (SELECT * FROM rule_spans WHERE NOT is_entry AND kind IN ('client', 'producer')) AS span
                ON span.trace_id = blocked.trace_id AND span.entry_span_id = blocked.entry_span_id
        )
        WINDOW earlier AS (PARTITION BY trace_id, entry_span_id ORDER BY begins_ns, ends_ns, step.1 ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ),
    -- the longest stretch without a call, and the calls before and after it
    longest AS
    (
        SELECT
            trace_id, entry_span_id, entry_type, whole_ns, cpu_ms, cpu_ns, self_ns, least_ns,
            countIf(is_call) AS calls,
            max((begins_ns - least(begins_ns, greatest(since_ns, entry_start_ns)), (before, step))) AS inner_gap,
            max((ends_ns, step)) AS last_step,
            max(entry_end_ns) - greatest(last_step.1, max(entry_start_ns)) AS last_gap_ns,
            if(inner_gap.1 > last_gap_ns, inner_gap, (last_gap_ns, (last_step.2, (entry_span_id, '', '', toUInt32(0), '')))) AS gap,
            gap.1 AS gap_ns,
            gap.2 AS around
        FROM steps
        GROUP BY trace_id, entry_span_id, entry_type, whole_ns, cpu_ms, cpu_ns, self_ns, least_ns
    ),
    judged AS
    (
        SELECT
            *,
            multiIf(
                cpu_ms IS NULL, 'unknown',
                cpu_ns >= least_ns AND cpu_ns >= self_ns / 2, 'computing',
                -- Some of both is what a busy machine makes of a little computing.
                gap_ns >= least_ns, if(self_ns >= least_ns + cpu_ns, 'waiting', ''),
                cpu_ns >= least_ns, 'computing',
                -- Many short stretches: on a busy machine a process waits for a core several times as
                -- long as it computes.
                self_ns >= least_ns + 8 * cpu_ns, 'waiting',
                '') AS doing
        FROM longest
    )
SELECT
    trace_id,
    entry_span_id,
    '' AS identity,
    if(doing = 'waiting' OR (entry_type = 'web' AND doing = 'unknown'), 'warning', 'info') AS severity,
    if(cpu_ms IS NULL, 'medium', 'high') AS confidence,
    1 AS count,
    toUInt64(self_ns) AS wasted_ns,
    '' AS statement,
    map(
        'entry_kind', if(entry_type = 'web', 'request', entry_type),
        'share', toString(round(100 * self_ns / greatest(1, whole_ns))),
        'doing', multiIf(doing = 'waiting', 'waiting', doing = 'computing', 'computing', 'waiting or computing'),
        'cpu_ms', ifNull(toString(cpu_ms), ''),
        'gap_ms', toString(round(gap_ns / 1e6)),
        'where', multiIf(
            calls = 0, 'somewhere in it: it makes no calls',
            around.1.2 = '', concat('before ', around.2.2, if(around.2.3 = '', '', concat(' (', around.2.3, ':', toString(around.2.4), ')'))),
            around.2.2 = '', concat('after ', around.1.2, if(around.1.3 = '', '', concat(' (', around.1.3, ':', toString(around.1.4), ')'))),
            concat(
                'between ', around.1.2, if(around.1.3 = '', '', concat(' (', around.1.3, ':', toString(around.1.4), ')')),
                ' and ', around.2.2, if(around.2.3 = '', '', concat(' (', around.2.3, ':', toString(around.2.4), ')'))))) AS details,
    arrayFilter(x -> x != '', [
        if(cpu_ms IS NULL, 'hotspan.cpu_ms', ''),
        if(calls > 0 AND around.1.3 = '' AND around.2.3 = '', 'code.file.path', '')]) AS missing,
    arrayDistinct(arrayFilter(id -> id != toFixedString('', 8), [entry_span_id, around.1.1, around.2.1])) AS span_ids,
    multiIf(doing = 'waiting', if(entry_type = 'task', 'waiting_task', 'waiting'), doing = 'computing', 'computing', 'unknown') AS suggestion,
    if(around.1.3 != '', around.1.3, around.2.3) AS code_file,
    if(around.1.3 != '', around.1.4, around.2.4) AS code_line,
    if(around.1.3 != '', around.1.5, around.2.5) AS code_function
FROM judged
WHERE doing != ''
    AND (gap_ns >= least_ns OR self_ns >= least_ns + calls * {per_call_ms:Float64} * 1e6)
