-- When each release was seen. Minimum and maximum only, so that it stays right when entries are
-- evaluated twice.
CREATE TABLE IF NOT EXISTS releases
(
    service LowCardinality(String),
    namespace LowCardinality(String),
    environment LowCardinality(String),
    version LowCardinality(String),
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_seen SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (service, namespace, environment, version);

CREATE MATERIALIZED VIEW IF NOT EXISTS releases_of_entries TO releases AS
SELECT
    service, namespace, environment, version,
    toDateTime64(min(start_time), 3, 'UTC') AS first_seen,
    toDateTime64(max(start_time), 3, 'UTC') AS last_seen
FROM entries
WHERE deleted = 0 AND version != ''
GROUP BY service, namespace, environment, version;

INSERT INTO releases
SELECT
    service, namespace, environment, version,
    toDateTime64(min(start_time), 3, 'UTC'), toDateTime64(max(start_time), 3, 'UTC')
FROM entries FINAL
WHERE deleted = 0 AND version != ''
GROUP BY service, namespace, environment, version;

ALTER TABLE violations
    -- its alert rests: not hit for a while
    ADD COLUMN IF NOT EXISTS quiet Bool,
    -- releases in which it was hit
    ADD COLUMN IF NOT EXISTS hit_versions Array(String),
    ADD COLUMN IF NOT EXISTS changed_at Nullable(DateTime64(3, 'UTC')),
    -- whose word it is, and why
    ADD COLUMN IF NOT EXISTS changed_by String,
    ADD COLUMN IF NOT EXISTS reason String,
    -- when somebody said that it is fixed
    ADD COLUMN IF NOT EXISTS claimed_at Nullable(DateTime64(3, 'UTC')),
    -- until when it is ignored, as JSON; '' when it is not
    ADD COLUMN IF NOT EXISTS ignoring String,
    -- what shows that it is fixed, as JSON; '' when nothing does
    ADD COLUMN IF NOT EXISTS proof String,
    ADD COLUMN IF NOT EXISTS fixed_at Nullable(DateTime64(3, 'UTC')),
    -- the release that brought it back
    ADD COLUMN IF NOT EXISTS regressed_version LowCardinality(String);

-- What was quiet is open, and its alert rests.
INSERT INTO violations
SELECT * REPLACE ('open' AS status, true AS quiet, now64(3, 'UTC') AS updated_at)
FROM violations FINAL
WHERE status = 'quiet';

-- Violations as they are, times in milliseconds.
CREATE OR REPLACE VIEW current_violations AS
SELECT
    fingerprint, rule, status, service, namespace, environment, entry_kind, entry_name,
    severity, confidence, hits, max_count, mean_wasted_ns, lost_ns_last_day,
    toUnixTimestamp64Milli(first_seen) AS first_seen_ms,
    toUnixTimestamp64Milli(last_seen) AS last_seen_ms,
    first_version, last_version,
    toUnixTimestamp64Milli(opened_at) AS opened_at_ms,
    quiet, hit_versions,
    toUnixTimestamp64Milli(changed_at) AS changed_at_ms,
    changed_by, reason,
    toUnixTimestamp64Milli(claimed_at) AS claimed_at_ms,
    ignoring, proof,
    toUnixTimestamp64Milli(fixed_at) AS fixed_at_ms,
    regressed_version
FROM violations FINAL;

-- What people say of violations, until the evaluator has applied it.
CREATE TABLE IF NOT EXISTS violation_actions
(
    id String,
    fingerprint String,
    at DateTime64(3, 'UTC'),
    action LowCardinality(String),
    by String,
    reason String,
    -- of `ignore`: until when, as JSON
    ignoring String
)
ENGINE = MergeTree
ORDER BY (at, id)
TTL toDateTime(at) + INTERVAL 30 DAY;

-- What became of each violation, and by whom.
CREATE TABLE IF NOT EXISTS violation_changes
(
    fingerprint String,
    id String,
    at DateTime64(3, 'UTC'),
    event LowCardinality(String),
    from_status LowCardinality(String),
    to_status LowCardinality(String),
    by String,
    reason String,
    version LowCardinality(String)
)
ENGINE = ReplacingMergeTree(at)
ORDER BY (fingerprint, id);

-- From which evaluation on a rule has run without failing, and since when with the same settings:
-- what was evaluated before proves nothing about a fix.
CREATE TABLE IF NOT EXISTS rule_records
(
    rule LowCardinality(String),
    -- of its settings; '' while it does not run
    signature String,
    settings_since UInt64,
    sound_since UInt64,
    recorded_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(recorded_at)
ORDER BY rule;
