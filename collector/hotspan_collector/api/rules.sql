-- name: runs
SELECT
    toString(rule) AS rule, toUnixTimestamp64Milli(ran_at) AS ran_at_ms, duration_ms,
    entries, failures, error
FROM rule_runs FINAL

-- name: set_override
INSERT INTO rule_overrides (id, rule, scope, by, reason, set_at, deleted)
SELECT {id:String}, {rule:String}, {scope:String}, {by:String}, {reason:String}, now64(3, 'UTC'), false

-- name: override
SELECT id FROM rule_overrides FINAL WHERE id = {id:String} AND rule = {rule:String} AND NOT deleted

-- name: remove_override
INSERT INTO rule_overrides
SELECT id, rule, scope, by, reason, now64(3, 'UTC'), true
FROM rule_overrides FINAL
WHERE id = {id:String} AND rule = {rule:String}
