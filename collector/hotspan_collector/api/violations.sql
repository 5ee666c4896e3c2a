-- name: violations
SELECT
    fingerprint, rule, status, service, namespace, environment, entry_kind, entry_name,
    severity, confidence,
    hits, max_count, mean_wasted_ns, lost_ns_last_day,
    toUnixTimestamp64Milli(first_seen) AS first_seen_ms,
    toUnixTimestamp64Milli(last_seen) AS last_seen_ms,
    first_version, last_version,
    toUnixTimestamp64Milli(opened_at) AS opened_at_ms,
    count() OVER () AS total
FROM violations FINAL
WHERE status IN ('open', 'quiet')
    AND ({fingerprint:String} = '' OR fingerprint = {fingerprint:String})
    AND ({service:String} = '' OR service = {service:String})
    AND ({environment:String} = '' OR environment = {environment:String})
    AND ({rule:String} = '' OR rule = {rule:String})
    AND ({severity:String} = '' OR toString(severity) = {severity:String})
    AND ({status:String} = '' OR status = {status:String})
ORDER BY lost_ns_last_day DESC, severity DESC, first_seen, fingerprint
LIMIT {limit:UInt32} OFFSET {offset:UInt32}

-- name: entries_since_first_hit
SELECT violation.fingerprint AS fingerprint, count() AS entries
FROM
(
    SELECT start_time, service, namespace, environment, kind, name
    FROM entries FINAL
    WHERE deleted = 0
        AND start_time >= (
            SELECT min(first_seen) FROM violations FINAL WHERE fingerprint IN {fingerprints:Array(String)})
        AND service IN (
            SELECT service FROM violations WHERE fingerprint IN {fingerprints:Array(String)})
) AS entry
INNER JOIN
(
    SELECT fingerprint, service, namespace, environment, entry_kind, entry_name, first_seen
    FROM violations FINAL
    WHERE fingerprint IN {fingerprints:Array(String)}
) AS violation
ON entry.service = violation.service
    AND entry.namespace = violation.namespace
    AND entry.environment = violation.environment
    AND entry.kind = violation.entry_kind
    AND entry.name = violation.entry_name
WHERE entry.start_time >= violation.first_seen
GROUP BY violation.fingerprint
