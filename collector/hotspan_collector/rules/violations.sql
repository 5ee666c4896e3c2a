-- name: create_tick_fingerprints
-- Violations that have to be computed anew.
CREATE OR REPLACE TABLE tick_fingerprints (fingerprint String) ENGINE = Memory;

-- name: create_proof_releases
-- Releases that may show that a violation is fixed, a row a violation and release.
CREATE OR REPLACE TABLE proof_releases
(
    fingerprint String,
    service LowCardinality(String),
    namespace LowCardinality(String),
    environment LowCardinality(String),
    entry_kind LowCardinality(String),
    entry_name LowCardinality(String),
    version LowCardinality(String),
    -- newer than all that were hit; otherwise it was hit
    newer Bool
)
ENGINE = Memory;

-- name: empty_tick_fingerprints
TRUNCATE TABLE tick_fingerprints

-- name: empty_proof_releases
TRUNCATE TABLE proof_releases

-- name: hit_violations
-- What they amount to. An entry counts as often as its sampling says; one that is hit at several
-- places of its code is one hit.
WITH
    latest AS
    (
        SELECT trace_id, entry_span_id, generation
        FROM entries FINAL
        WHERE NOT deleted
            AND trace_id IN (SELECT trace_id FROM findings WHERE fingerprint IN (SELECT fingerprint FROM tick_fingerprints))
    )
SELECT
    fingerprint,
    any(rule) AS rule,
    any(service) AS service,
    any(namespace) AS namespace,
    any(environment) AS environment,
    any(entry_kind) AS entry_kind,
    any(entry_name) AS entry_name,
    countIf(current) AS seen,
    toString(if(seen = 0, max(worst), maxIf(worst, current))) AS severity,
    toString(argMax(confidence, started)) AS confidence,
    toUInt64(round(sumIf(weight, current))) AS hits,
    toUInt64(round(sumIf(weight, current AND started > now() - INTERVAL 1 DAY))) AS hits_last_day,
    toUInt64(round(sumIf(weight, current AND started > now() - INTERVAL 1 HOUR))) AS hits_last_hour,
    toUInt32(maxIf(most, current)) AS max_count,
    sumIf(wasted * weight, current) / greatest(1e-9, sumIf(weight, current)) AS mean_wasted_ns,
    sumIf(wasted * weight, current AND started > now() - INTERVAL 1 DAY) AS lost_ns_last_day,
    toUnixTimestamp64Milli(toDateTime64(if(seen = 0, min(started), minIf(started, current)), 3, 'UTC')) AS first_seen_ms,
    toUnixTimestamp64Milli(toDateTime64(if(seen = 0, max(started), maxIf(started, current)), 3, 'UTC')) AS last_seen_ms,
    argMin(release, (NOT current, started)) AS first_version,
    argMax(release, (current, started)) AS last_version,
    arraySort(groupUniqArrayIf(toString(release), current)) AS hit_versions
FROM
(
    SELECT
        fingerprint, trace_id, entry_span_id,
        any(rule) AS rule,
        any(service) AS service,
        any(namespace) AS namespace,
        any(environment) AS environment,
        any(entry_kind) AS entry_kind,
        any(entry_name) AS entry_name,
        any(version) AS release,
        any(entry_start) AS started,
        any(findings.weight) AS weight,
        max(severity) AS worst,
        max(findings.confidence) AS confidence,
        max(count) AS most,
        sum(wasted_ns) AS wasted,
        (trace_id, entry_span_id, generation) IN latest AS current
    FROM (SELECT * FROM findings FINAL WHERE fingerprint IN (SELECT fingerprint FROM tick_fingerprints)) AS findings
    GROUP BY fingerprint, trace_id, entry_span_id, generation
)
GROUP BY fingerprint

-- name: known_violations
SELECT * FROM current_violations WHERE fingerprint IN {fingerprints:Array(String)}

-- name: silent_violations
SELECT * FROM current_violations
WHERE status NOT IN ('pending', 'verified_fixed', 'resolved')
    AND NOT quiet
    AND last_seen_ms < {before_ms:Int64}
    AND rule NOT IN {window_rules:Array(String)}

-- name: ended_violations
-- Violations of rules over windows whose condition holds no more.
SELECT * FROM current_violations
WHERE status NOT IN ('pending', 'resolved')
    AND rule IN {window_rules:Array(String)}
    AND fingerprint NOT IN (SELECT fingerprint FROM tick_fingerprints)

-- name: ignored_violations
SELECT * FROM current_violations WHERE status = 'ignored' AND ignoring != ''

-- name: stale_violations
-- What was lost in the last day lies longer ago than a day.
SELECT * FROM current_violations
WHERE lost_ns_last_day > 0
    AND status NOT IN ('pending', 'resolved')
    AND last_seen_ms < {before_ms:Int64}
    AND rule NOT IN {window_rules:Array(String)}

-- name: violations_to_prove
SELECT * FROM current_violations
WHERE status IN ('open', 'acknowledged', 'ignored', 'resolving', 'regressed')
    AND rule IN {rules:Array(String)}

-- name: releases
SELECT
    service, namespace, environment, toString(version) AS version,
    toUnixTimestamp64Milli(min(first_seen)) AS first_seen_ms,
    toUnixTimestamp64Milli(max(last_seen)) AS last_seen_ms
FROM releases
WHERE service IN {services:Array(String)}
GROUP BY service, namespace, environment, version

-- name: entries_before
-- What it was like in the releases that were hit.
WITH
    hits AS
    (
        SELECT
            fingerprint, trace_id, entry_span_id, generation,
            any(entry_start) AS started,
            any(findings.weight) AS weight,
            sum(wasted_ns) AS wasted
        FROM (SELECT * FROM findings FINAL WHERE fingerprint IN (SELECT fingerprint FROM proof_releases WHERE NOT newer)) AS findings
        GROUP BY fingerprint, trace_id, entry_span_id, generation
    ),
    hit_entries AS
    (
        SELECT trace_id, entry_span_id, generation, db_queries, duration_ns
        FROM entries FINAL
        WHERE deleted = 0
            AND start_time >= (SELECT min(started) FROM hits)
            AND start_time <= (SELECT max(started) FROM hits)
            AND trace_id IN (SELECT trace_id FROM hits)
    ),
    last_hits AS (SELECT fingerprint, max(started) AS last_hit FROM hits GROUP BY fingerprint),
    routes AS
    (
        SELECT service, namespace, environment, kind, name, version, sum(weight) AS weight
        FROM entries FINAL
        WHERE deleted = 0
            AND (service, namespace, environment, version) IN (
                SELECT service, namespace, environment, version FROM proof_releases WHERE NOT newer)
        GROUP BY service, namespace, environment, kind, name, version
    ),
    totals AS
    (
        SELECT violation.fingerprint AS fingerprint, sum(routes.weight) AS entries
        FROM (SELECT * FROM proof_releases WHERE NOT newer) AS violation
        INNER JOIN routes
            ON routes.service = violation.service
            AND routes.namespace = violation.namespace
            AND routes.environment = violation.environment
            AND routes.version = violation.version
        WHERE violation.entry_name = ''
            OR (violation.entry_name = routes.name AND violation.entry_kind = routes.kind)
        GROUP BY violation.fingerprint
    )
SELECT
    hits.fingerprint AS fingerprint,
    sum(hits.weight) AS hit,
    greatest(hit, any(totals.entries)) AS entries,
    sum(hits.weight * hit_entries.db_queries) / hit AS queries,
    sum(hits.weight * hit_entries.duration_ns) / hit AS duration_ns,
    sumIf(hits.weight * hits.wasted, hits.started > last_hits.last_hit - INTERVAL 1 DAY) AS lost_ns_a_day
FROM hits
INNER JOIN hit_entries
    ON hit_entries.trace_id = hits.trace_id
    AND hit_entries.entry_span_id = hits.entry_span_id
    AND hit_entries.generation = hits.generation
INNER JOIN last_hits ON last_hits.fingerprint = hits.fingerprint
LEFT JOIN totals ON totals.fingerprint = hits.fingerprint
GROUP BY hits.fingerprint

-- name: entries_of_newer_releases
WITH routes AS
(
    SELECT
        service, namespace, environment, kind, name, version,
        count() AS entries,
        sum(weight) AS weights,
        sum(weight * db_queries) AS queries,
        sum(weight * duration_ns) AS duration_ns
    FROM entries FINAL
    WHERE deleted = 0
        AND NOT partial
        AND start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
        AND generation >= {sound_since:UInt64}
        AND (service, namespace, environment, version) IN (
            SELECT service, namespace, environment, version FROM proof_releases WHERE newer)
    GROUP BY service, namespace, environment, kind, name, version
)
SELECT
    violation.fingerprint AS fingerprint,
    sum(routes.entries) AS entries,
    sum(routes.queries) / sum(routes.weights) AS queries,
    sum(routes.duration_ns) / sum(routes.weights) AS duration_ns
FROM (SELECT * FROM proof_releases WHERE newer) AS violation
INNER JOIN routes
    ON routes.service = violation.service
    AND routes.namespace = violation.namespace
    AND routes.environment = violation.environment
    AND routes.version = violation.version
WHERE violation.entry_name = ''
    OR (violation.entry_name = routes.name AND violation.entry_kind = routes.kind)
GROUP BY violation.fingerprint

-- name: entries_since
-- Of these releases, or of any.
SELECT
    count() AS entries,
    sum(weight * db_queries) / greatest(1e-9, sum(weight)) AS queries,
    sum(weight * duration_ns) / greatest(1e-9, sum(weight)) AS duration_ns
FROM entries FINAL
WHERE deleted = 0
    AND NOT partial
    AND start_time > fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
    AND generation >= {sound_since:UInt64}
    AND service = {service:String}
    AND namespace = {namespace:String}
    AND environment = {environment:String}
    AND (empty({versions:Array(String)}) OR version IN {versions:Array(String)})
    AND ({entry_name:String} = '' OR (name = {entry_name:String} AND kind = {entry_kind:String}))

-- name: pending_actions
-- What people have said and nobody has applied.
SELECT
    id, fingerprint, toString(action) AS action, by, reason, ignoring,
    toUnixTimestamp64Milli(at) AS at_ms
FROM violation_actions
WHERE at > now() - INTERVAL 1 DAY
    AND id NOT IN (SELECT id FROM violation_changes WHERE at > now() - INTERVAL 2 DAY)
    AND (empty({fingerprints:Array(String)}) OR fingerprint IN {fingerprints:Array(String)})
ORDER BY at, id

-- name: rule_records
SELECT rule, signature, settings_since, sound_since FROM rule_records FINAL
