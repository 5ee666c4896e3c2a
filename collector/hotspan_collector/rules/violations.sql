-- name: create_tick_fingerprints
-- Violations that have to be computed anew.
CREATE OR REPLACE TABLE tick_fingerprints (fingerprint String) ENGINE = Memory;

-- name: empty_tick_fingerprints
TRUNCATE TABLE tick_fingerprints

-- name: hit_violations
-- What they amount to.
WITH
    candidates AS
    (
        SELECT * FROM findings FINAL WHERE fingerprint IN (SELECT fingerprint FROM tick_fingerprints)
    ),
    latest AS
    (
        SELECT trace_id, entry_span_id, generation
        FROM entries FINAL
        WHERE NOT deleted AND trace_id IN (SELECT trace_id FROM candidates)
    )
SELECT
    fingerprint,
    any(rule) AS rule,
    any(service) AS service,
    any(namespace) AS namespace,
    any(environment) AS environment,
    any(entry_kind) AS entry_kind,
    any(entry_name) AS entry_name,
    toString(max(severity)) AS severity,
    toString(argMax(confidence, entry_start)) AS confidence,
    uniqExactIf((trace_id, entry_span_id), current) AS hits,
    uniqExactIf((trace_id, entry_span_id), current AND entry_start > now() - INTERVAL 1 DAY) AS hits_last_day,
    uniqExactIf((trace_id, entry_span_id), current AND entry_start > now() - INTERVAL 1 HOUR) AS hits_last_hour,
    toUInt32(maxIf(count, current)) AS max_count,
    sumIf(wasted_ns, current) / greatest(1, hits) AS mean_wasted_ns,
    sumIf(wasted_ns * weight, current AND entry_start > now() - INTERVAL 1 DAY) AS lost_ns_last_day,
    toUnixTimestamp64Milli(toDateTime64(min(entry_start), 3, 'UTC')) AS first_seen_ms,
    toUnixTimestamp64Milli(toDateTime64(max(entry_start), 3, 'UTC')) AS last_seen_ms,
    argMin(version, entry_start) AS first_version,
    argMax(version, entry_start) AS last_version
FROM
(
    SELECT *, (trace_id, entry_span_id, generation) IN latest AS current
    FROM candidates
)
GROUP BY fingerprint

-- name: known_violations
SELECT
    fingerprint, rule, status, service, namespace, environment, entry_kind, entry_name,
    toString(severity) AS severity, toString(confidence) AS confidence,
    hits, max_count, mean_wasted_ns, lost_ns_last_day,
    toUnixTimestamp64Milli(first_seen) AS first_seen_ms,
    toUnixTimestamp64Milli(last_seen) AS last_seen_ms,
    first_version, last_version,
    toUnixTimestamp64Milli(opened_at) AS opened_at_ms
FROM violations FINAL
WHERE fingerprint IN {fingerprints:Array(String)}

-- name: silent_violations
SELECT
    fingerprint, rule, status, service, namespace, environment, entry_kind, entry_name,
    toString(severity) AS severity, toString(confidence) AS confidence,
    hits, max_count, mean_wasted_ns, lost_ns_last_day,
    toUnixTimestamp64Milli(first_seen) AS first_seen_ms,
    toUnixTimestamp64Milli(last_seen) AS last_seen_ms,
    first_version, last_version,
    toUnixTimestamp64Milli(opened_at) AS opened_at_ms
FROM violations FINAL
WHERE status = 'open'
    AND last_seen < fromUnixTimestamp64Milli({before_ms:Int64}, 'UTC')
    AND rule NOT IN {window_rules:Array(String)}

-- name: ended_violations
-- Violations of rules over windows whose condition holds no more.
SELECT
    fingerprint, rule, status, service, namespace, environment, entry_kind, entry_name,
    toString(severity) AS severity, toString(confidence) AS confidence,
    hits, max_count, mean_wasted_ns, lost_ns_last_day,
    toUnixTimestamp64Milli(first_seen) AS first_seen_ms,
    toUnixTimestamp64Milli(last_seen) AS last_seen_ms,
    first_version, last_version,
    toUnixTimestamp64Milli(opened_at) AS opened_at_ms
FROM violations FINAL
WHERE status = 'open'
    AND rule IN {window_rules:Array(String)}
    AND fingerprint NOT IN (SELECT fingerprint FROM tick_fingerprints)

-- name: upsert_violations
INSERT INTO violations
SELECT
    JSONExtractString(row, 'fingerprint'),
    JSONExtractString(row, 'rule'),
    JSONExtractString(row, 'status'),
    JSONExtractString(row, 'service'),
    JSONExtractString(row, 'namespace'),
    JSONExtractString(row, 'environment'),
    JSONExtractString(row, 'entry_kind'),
    JSONExtractString(row, 'entry_name'),
    JSONExtractString(row, 'severity'),
    JSONExtractString(row, 'confidence'),
    JSONExtractUInt(row, 'hits'),
    JSONExtractUInt(row, 'max_count'),
    JSONExtractFloat(row, 'mean_wasted_ns'),
    JSONExtractFloat(row, 'lost_ns_last_day'),
    fromUnixTimestamp64Milli(JSONExtractInt(row, 'first_seen_ms'), 'UTC'),
    fromUnixTimestamp64Milli(JSONExtractInt(row, 'last_seen_ms'), 'UTC'),
    JSONExtractString(row, 'first_version'),
    JSONExtractString(row, 'last_version'),
    fromUnixTimestamp64Milli(JSONExtract(row, 'opened_at_ms', 'Nullable(Int64)'), 'UTC'),
    now64(3, 'UTC')
FROM (SELECT arrayJoin({rows:Array(String)}) AS row)
