-- name: violations
SELECT *, count() OVER () AS total
FROM current_violations
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

-- name: entries_since
-- How many entries there were, by route or task, from each of some times to the next.
SELECT
    service, namespace, environment, kind, name,
    roundDown(toUnixTimestamp64Milli(start_time), {since_ms:Array(Int64)}) AS from_ms,
    sum(weight) AS entries
FROM entries FINAL
WHERE deleted = 0
    AND service IN {services:Array(String)}
    AND kind IN {kinds:Array(String)}
    AND start_time >= fromUnixTimestamp64Milli({since_ms:Array(Int64)}[1], 'UTC')
GROUP BY service, namespace, environment, kind, name, from_ms
