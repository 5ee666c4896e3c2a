-- name: create_window_findings
-- What the rules over windows have found in this round.
CREATE OR REPLACE TABLE window_findings AS findings ENGINE = Memory;

-- name: empty_window_findings
TRUNCATE TABLE window_findings

-- name: find
-- A finding of a window is kept on the entry that shows it best, its exemplar, and counts while that
-- entry's evaluation does. A rule about services gives no entry name: it is not about one route.
INSERT INTO window_findings
(
    fingerprint, rule, trace_id, entry_span_id, entry_start, entry_duration_ns,
    service, namespace, environment, version, entry_kind, entry_name, weight,
    identity, severity, confidence, count, wasted_ns, statement, details, missing, span_ids,
    suggestion, code_file, code_line, code_function, generation
)
SELECT
    concat('v1:', lower(hex(sipHash128(
        {rule:String}, exemplar.namespace, exemplar.service, exemplar.environment,
        if({about:String} = 'service', '', exemplar.name), found.identity)))),
    {rule:String},
    exemplar.trace_id, exemplar.entry_span_id, exemplar.start_time, exemplar.duration_ns,
    exemplar.service, exemplar.namespace, exemplar.environment, exemplar.version, exemplar.kind,
    if({about:String} = 'service', '', exemplar.name),
    1,
    found.identity, found.severity, found.confidence, found.count, found.wasted_ns, found.statement,
    found.details, found.missing, found.span_ids,
    found.suggestion, found.code_file, found.code_line, found.code_function,
    exemplar.generation
FROM
(
{rule_sql}
) AS found
INNER JOIN
(
    SELECT * FROM current_entries WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
) AS exemplar
    ON exemplar.trace_id = found.trace_id AND exemplar.entry_span_id = found.entry_span_id

-- name: keep
INSERT INTO findings SELECT * FROM window_findings

-- name: fill_tick_fingerprints
INSERT INTO tick_fingerprints SELECT DISTINCT fingerprint FROM window_findings
