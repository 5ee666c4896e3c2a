-- name: violations
SELECT * FROM current_violations
WHERE status != 'pending'
    AND ({fingerprint:String} = '' OR fingerprint = {fingerprint:String})
    AND ({service:String} = '' OR service = {service:String})
    AND ({environment:String} = '' OR environment = {environment:String})
    AND ({rule:String} = '' OR rule = {rule:String})
    AND ({severity:String} = '' OR toString(severity) = {severity:String})
    AND (empty({statuses:Array(String)}) OR status IN {statuses:Array(String)})
ORDER BY lost_ns_last_day DESC, severity DESC, first_seen_ms, fingerprint
LIMIT {limit:UInt32} OFFSET {offset:UInt32}

-- name: count_violations
SELECT count() AS total FROM current_violations
WHERE status != 'pending'
    AND ({fingerprint:String} = '' OR fingerprint = {fingerprint:String})
    AND ({service:String} = '' OR service = {service:String})
    AND ({environment:String} = '' OR environment = {environment:String})
    AND ({rule:String} = '' OR rule = {rule:String})
    AND ({severity:String} = '' OR toString(severity) = {severity:String})
    AND (empty({statuses:Array(String)}) OR status IN {statuses:Array(String)})

-- name: add_action
INSERT INTO violation_actions (id, fingerprint, at, action, by, reason, ignoring)
SELECT {id:String}, {fingerprint:String}, now64(3, 'UTC'), {action:String}, {by:String}, {reason:String}, {ignoring:String}

-- name: history
SELECT
    toUnixTimestamp64Milli(at) AS at_ms,
    toString(event) AS event, toString(from_status) AS from_status, toString(to_status) AS to_status,
    by, reason, toString(version) AS release
FROM violation_changes FINAL
WHERE fingerprint = {fingerprint:String}
ORDER BY at DESC, id
LIMIT {limit:UInt32}

-- name: entries_since_first_hit
SELECT violation.fingerprint AS fingerprint, toUInt64(round(sum(entry.weight))) AS entries
FROM
(
    SELECT start_time, service, namespace, environment, kind, name, weight
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
