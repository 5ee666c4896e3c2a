-- name: enqueue
-- An event is told once: its id is made of what happened.
INSERT INTO alert_outbox
SELECT
    {id:String}, {fingerprint:String}, {event:String}, {channel:String}, {payload:String},
    now64(3, 'UTC'), 0, now64(3, 'UTC'), 'pending', '', 1
WHERE {id:String} NOT IN (SELECT id FROM alert_outbox WHERE id = {id:String})

-- name: due
-- The oldest pending event of each violation whose time has come: a resolution never overtakes the
-- opening before it.
SELECT id, fingerprint, event, channel, payload, attempts
FROM
(
    SELECT id, fingerprint, event, channel, payload, attempts, created_at, next_attempt_at
    FROM alert_outbox FINAL
    WHERE state = 'pending'
    ORDER BY created_at, id
    LIMIT 1 BY fingerprint
)
WHERE next_attempt_at <= now64(3, 'UTC')
ORDER BY created_at, id
LIMIT {limit:UInt32}

-- name: record
INSERT INTO alert_outbox
SELECT
    id, fingerprint, event, channel, payload, created_at,
    attempts + 1,
    now64(3, 'UTC') + toIntervalMillisecond({delay_ms:Int64}),
    {state:String}, {error:String},
    revision + 1
FROM alert_outbox FINAL
WHERE id = {id:String}

-- name: counts
SELECT countIf(state = 'pending') AS pending, countIf(state = 'failed') AS failed
FROM alert_outbox FINAL

-- name: recent_changes
-- Violations that changed lately: what a crash may have kept from being announced.
SELECT * FROM current_violations
WHERE fingerprint IN (
        SELECT fingerprint FROM violations FINAL
        WHERE updated_at >= now64(3, 'UTC') - toIntervalMillisecond({within_ms:Int64}))
    AND (
        (status IN ('open', 'resolving', 'regressed')
            AND NOT quiet
            AND opened_at_ms >= toUnixTimestamp64Milli(now64(3, 'UTC')) - {within_ms:Int64})
        OR ((quiet OR status IN ('verified_fixed', 'resolved', 'pending'))
            AND fingerprint IN (SELECT fingerprint FROM alert_outbox WHERE event IN ('opened', 'regressed'))))
