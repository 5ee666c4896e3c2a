/*
id = "error_rate"
title = "Too many failures"
finds = "Routes that answer with a server error, and tasks that fail, more often than they may."
why = """
A single error is an accident, and has a trace. A rate is a defect: users and callers meet it every
day, and retries hide it from everybody else.
"""
when = "(SELECT 1 FROM entries WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') AND error GROUP BY service, namespace, environment, name HAVING count() >= 1)"
needs = []
opens_at_once = true
critical_hits_per_hour = 0
summary = "{rate} of the runs of {entry} fail: {failed} of {entries}; allowed are {allowed}"

[settings.window_minutes]
type = "Float64"
default = 60
unit = "minutes"
reason = "Long enough for routes that are called now and then."

[settings.min_entries]
type = "UInt32"
default = 20
unit = "entries"
reason = "Fewer say nothing about a rate."

[settings.request_percent]
type = "Float64"
default = 1
unit = "% of requests"
reason = "99 % of requests succeed."

[settings.task_percent]
type = "Float64"
default = 10
unit = "% of runs, retries not counted"
reason = "Tasks meet the failures of other systems; more than one in ten is no accident."

[settings.deviations]
type = "Float64"
default = 1.96
unit = "standard deviations"
reason = "The rate is above the limit with 97.5 % certainty (Wilson's lower bound), not by bad luck."

[suggestions]
page = "Group the failing traces of {entry} by exception: look at the newest one first, and answer what the caller did wrong with 4xx."
task = "Look at the exceptions of {entry}: let what passes (connection, timeout, 503) be retried with autoretry_for, retry_backoff=True, retry_jitter=True and max_retries; declare what is expected with throws=(…,)."
*/
WITH routes AS
(
    SELECT
        service, namespace, environment, kind, name,
        count() AS n,
        countIf(error) AS failed,
        if(kind = 'task', {task_percent:Float64}, {request_percent:Float64}) / 100 AS allowed,
        sumIf(weight, error) / sum(weight) AS rate,
        -- as many as would say the same if each stood for itself alone
        pow(sum(weight), 2) / sum(weight * weight) AS effective,
        pow({deviations:Float64}, 2) AS z2,
        (rate + z2 / (2 * effective)
            - sqrt(z2 * (rate * (1 - rate) / effective + z2 / (4 * effective * effective))))
            / (1 + z2 / effective) AS lower_bound,
        argMaxIf((trace_id, entry_span_id), start_time, error) AS newest,
        avgIf(duration_ns, error) AS failed_ns
    FROM current_entries
    WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
        AND kind IN ('web', 'task')
        AND NOT partial
        -- What is tried again, or was not meant to run, has not failed and has not succeeded.
        AND task_state NOT IN ('RETRY', 'IGNORED', 'REJECTED', 'REVOKED')
    GROUP BY service, namespace, environment, kind, name
    HAVING n >= {min_entries:UInt32} AND failed > 0 AND lower_bound > allowed
)
SELECT
    newest.1 AS trace_id,
    newest.2 AS entry_span_id,
    '' AS identity,
    if(lower_bound >= 5 * allowed, 'critical', 'warning') AS severity,
    'high' AS confidence,
    toUInt32(failed) AS count,
    toUInt64(failed_ns) AS wasted_ns,
    '' AS statement,
    map(
        'entry', toString(name),
        'rate', concat(toString(round(100 * rate, 1)), ' %'),
        'allowed', concat(toString(round(100 * allowed, 1)), ' %'),
        'failed', toString(failed),
        'entries', toString(n)) AS details,
    []::Array(String) AS missing,
    []::Array(FixedString(8)) AS span_ids,
    if(kind = 'task', 'task', 'page') AS suggestion,
    '' AS code_file,
    0 AS code_line,
    '' AS code_function
FROM routes
