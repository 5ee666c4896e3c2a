-- name: entries_since
SELECT sumForEach(arrayMap(ms -> toUInt64(start_time >= fromUnixTimestamp64Milli(ms, 'UTC')), {since_ms:Array(Int64)})) AS entries
FROM entries
WHERE start_time >= fromUnixTimestamp64Milli(arrayMin({since_ms:Array(Int64)}), 'UTC')

-- name: overrides
SELECT id, toString(rule) AS rule, scope, by, reason
FROM rule_overrides FINAL
WHERE NOT deleted
ORDER BY set_at, id

-- name: overrides_state
SELECT count() AS overrides, toUnixTimestamp64Milli(max(set_at)) AS newest_ms FROM rule_overrides

-- name: canary_found
SELECT count() AS found FROM rule_found WHERE rule = {rule:String}
