-- A violation that is open after all: what ran before that proves nothing.
ALTER TABLE violations
    ADD COLUMN IF NOT EXISTS counts_since Nullable(DateTime64(3, 'UTC'));

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
    toUnixTimestamp64Milli(counts_since) AS counts_since_ms,
    ignoring, proof,
    toUnixTimestamp64Milli(fixed_at) AS fixed_at_ms,
    regressed_version
FROM violations FINAL;
