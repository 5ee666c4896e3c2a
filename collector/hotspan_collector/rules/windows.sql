-- name: create_window_findings
-- The findings that come of what rules over windows return.
CREATE OR REPLACE TABLE window_findings AS findings ENGINE = Memory;

-- name: entries
(SELECT * FROM current_entries WHERE start_time >= fromUnixTimestamp64Milli({since_ms}, 'UTC'))

-- name: attribute
-- A finding of a window is kept on the entry that shows it best, its exemplar, and counts while that
-- entry's evaluation does. A rule about services gives no entry name: it is not about one route. A
-- rule about tasks names the task, which need not be what the exemplar ran.
INSERT INTO window_findings
(
    fingerprint, rule, trace_id, entry_span_id, entry_start, entry_duration_ns,
    service, namespace, environment, version, entry_kind, entry_name, weight,
    identity, severity, confidence, count, wasted_ns, statement, details, missing, span_ids,
    suggestion, code_file, code_line, code_function, generation
)
SELECT
    concat('v1:', lower(hex(sipHash128(
        toString(found.rule), exemplar.namespace, exemplar.service, exemplar.environment, shown_name, found.identity)))),
    found.rule,
    exemplar.trace_id, exemplar.entry_span_id, exemplar.start_time, exemplar.duration_ns,
    exemplar.service, exemplar.namespace, exemplar.environment, exemplar.version,
    if(found.about = 'task', 'task', exemplar.kind),
    multiIf(found.about = 'service', '', found.about = 'task', found.details['task'], exemplar.name) AS shown_name,
    1,
    found.identity, found.severity, found.confidence, found.count, found.wasted_ns, found.statement,
    found.details, found.missing, found.span_ids,
    found.suggestion, found.code_file, found.code_line, found.code_function,
    exemplar.generation
FROM
(
    SELECT *
    FROM current_entries
    WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
        AND trace_id IN (SELECT trace_id FROM rule_found)
) AS exemplar
INNER JOIN rule_found AS found
    ON exemplar.trace_id = found.trace_id AND exemplar.entry_span_id = found.entry_span_id

-- name: keep
INSERT INTO findings SELECT * FROM window_findings

-- name: fill_tick_hits
INSERT INTO tick_hits SELECT DISTINCT fingerprint, toStartOfFiveMinutes(entry_start) FROM window_findings
