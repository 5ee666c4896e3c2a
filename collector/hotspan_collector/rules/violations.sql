-- name: create_tick_hits
-- What has to be counted anew: violations, each with the five minutes in which findings have come or
-- gone.
CREATE OR REPLACE TABLE tick_hits (fingerprint String, five_minutes DateTime('UTC')) ENGINE = Memory;

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

-- name: empty_tick_hits
TRUNCATE TABLE tick_hits

-- name: empty_proof_releases
TRUNCATE TABLE proof_releases

-- name: count_hits
-- An entry counts as often as its sampling says; one that is hit at several places of its code is one
-- hit. The end is a DateTime64, like what is compared with it: the key's analysis makes `< 17:15:00` of
-- a DateTime `<= 17:14:59`, which leaves out a second.
INSERT INTO violation_hits
WITH
    touched AS
    (
        SELECT *, toStartOfFiveMinutes(entry_start) AS five_minutes
        FROM findings FINAL
        WHERE (fingerprint, toStartOfFiveMinutes(entry_start)) IN (SELECT fingerprint, five_minutes FROM tick_hits)
            AND entry_start >= (SELECT min(five_minutes) FROM tick_hits)
            AND entry_start < (SELECT toDateTime64(max(five_minutes) + INTERVAL 5 MINUTE, 9, 'UTC') FROM tick_hits)
    ),
    latest AS
    (
        SELECT trace_id, entry_span_id, generation
        FROM entries FINAL
        WHERE NOT deleted
            AND start_time >= (SELECT min(five_minutes) FROM tick_hits)
            AND start_time < (SELECT toDateTime64(max(five_minutes) + INTERVAL 5 MINUTE, 9, 'UTC') FROM tick_hits)
            AND (service, toStartOfFiveMinutes(start_time), trace_id) IN (SELECT service, five_minutes, trace_id FROM touched)
    )
SELECT
    fingerprint, five_minutes,
    any(rule), any(service), any(namespace), any(environment), any(entry_kind), any(entry_name),
    countIf(current) AS seen,
    sumIf(weight, current),
    sumIf(wasted * weight, current),
    if(seen = 0, max(most), maxIf(most, current)),
    if(seen = 0, max(worst), maxIf(worst, current)),
    argMax(surest, (current, started)),
    if(seen = 0, min(started), minIf(started, current)),
    if(seen = 0, max(started), maxIf(started, current)),
    argMin(release, (NOT current, started)),
    argMax(release, (current, started)),
    arraySort(groupUniqArrayIf(toString(release), current)),
    {generation:UInt64}
FROM
(
    SELECT
        fingerprint, five_minutes, trace_id, entry_span_id,
        any(touched.rule) AS rule,
        any(touched.service) AS service,
        any(touched.namespace) AS namespace,
        any(touched.environment) AS environment,
        any(touched.entry_kind) AS entry_kind,
        any(touched.entry_name) AS entry_name,
        any(version) AS release,
        any(entry_start) AS started,
        any(touched.weight) AS weight,
        max(severity) AS worst,
        max(confidence) AS surest,
        max(count) AS most,
        sum(wasted_ns) AS wasted,
        (trace_id, entry_span_id, generation) IN latest AS current
    FROM touched
    GROUP BY fingerprint, five_minutes, trace_id, entry_span_id, generation
)
GROUP BY fingerprint, five_minutes

-- name: hit_violations
-- What they amount to. Days and hours begin and end with five minutes.
SELECT
    fingerprint,
    any(violation_hits.rule) AS rule,
    any(violation_hits.service) AS service,
    any(violation_hits.namespace) AS namespace,
    any(violation_hits.environment) AS environment,
    any(violation_hits.entry_kind) AS entry_kind,
    any(violation_hits.entry_name) AS entry_name,
    sum(entries) AS seen,
    toString(if(seen = 0, max(violation_hits.severity), maxIf(violation_hits.severity, entries > 0))) AS severity,
    toString(argMax(violation_hits.confidence, (entries > 0, last_seen))) AS confidence,
    toUInt64(round(sum(weight))) AS hits,
    toUInt64(round(sumIf(weight, five_minutes > now() - INTERVAL 1 DAY))) AS hits_last_day,
    toUInt64(round(sumIf(weight, five_minutes > now() - INTERVAL 1 HOUR))) AS hits_last_hour,
    toUInt32(maxIf(violation_hits.max_count, entries > 0)) AS max_count,
    sum(wasted_ns) / greatest(1e-9, sum(weight)) AS mean_wasted_ns,
    sumIf(wasted_ns, five_minutes > now() - INTERVAL 1 DAY) AS lost_ns_last_day,
    toUnixTimestamp64Milli(if(seen = 0, min(first_seen), minIf(first_seen, entries > 0))) AS first_seen_ms,
    toUnixTimestamp64Milli(if(seen = 0, max(last_seen), maxIf(last_seen, entries > 0))) AS last_seen_ms,
    argMin(violation_hits.first_version, (entries = 0, first_seen)) AS first_version,
    argMax(violation_hits.last_version, (entries > 0, last_seen)) AS last_version,
    arraySort(groupUniqArrayArrayIf(versions, entries > 0)) AS hit_versions
FROM violation_hits FINAL
WHERE fingerprint IN (SELECT fingerprint FROM tick_hits)
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
    AND fingerprint NOT IN (SELECT fingerprint FROM tick_hits)

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
