-- What the findings of five minutes amount to, one row a violation: what is added up instead of all
-- findings ever stored. Counted anew as a whole; the highest generation counts.
CREATE TABLE IF NOT EXISTS violation_hits
(
    fingerprint String,
    -- its beginning
    five_minutes DateTime('UTC'),
    rule LowCardinality(String),
    service LowCardinality(String),
    namespace LowCardinality(String),
    environment LowCardinality(String),
    entry_kind LowCardinality(String),
    entry_name LowCardinality(String),
    -- entries whose findings count; 0: none does any more, and the other columns tell of those that did
    entries UInt64,
    -- how many entries these stand for, by their sampling
    weight Float64,
    wasted_ns Float64,
    max_count UInt32,
    severity Enum8('info' = 1, 'warning' = 2, 'critical' = 3),
    confidence Enum8('low' = 1, 'medium' = 2, 'high' = 3),
    first_seen DateTime64(9, 'UTC'),
    last_seen DateTime64(9, 'UTC'),
    first_version LowCardinality(String),
    last_version LowCardinality(String),
    versions Array(String),
    generation UInt64
)
ENGINE = ReplacingMergeTree(generation)
PARTITION BY toYYYYMM(five_minutes)
ORDER BY (fingerprint, five_minutes)
SETTINGS non_replicated_deduplication_window = 1000;

-- The same as `count_hits`, over everything that is there.
INSERT INTO violation_hits
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
    0
FROM
(
    SELECT
        fingerprint, toStartOfFiveMinutes(entry_start) AS five_minutes, trace_id, entry_span_id,
        any(findings.rule) AS rule,
        any(findings.service) AS service,
        any(findings.namespace) AS namespace,
        any(findings.environment) AS environment,
        any(findings.entry_kind) AS entry_kind,
        any(findings.entry_name) AS entry_name,
        any(version) AS release,
        any(entry_start) AS started,
        any(findings.weight) AS weight,
        max(severity) AS worst,
        max(confidence) AS surest,
        max(count) AS most,
        sum(wasted_ns) AS wasted,
        (trace_id, entry_span_id, generation) IN (
            SELECT trace_id, entry_span_id, generation FROM entries FINAL WHERE NOT deleted) AS current
    FROM findings FINAL
    GROUP BY fingerprint, five_minutes, trace_id, entry_span_id, generation
)
GROUP BY fingerprint, five_minutes;
