-- name: tables
-- All that is kept. Leases tell who works now, migrations are applied by whoever opens the store.
SELECT name
FROM system.tables
WHERE database = currentDatabase()
    AND engine LIKE '%MergeTree'
    AND name NOT IN ('schema_migrations', 'leases')
ORDER BY name

-- name: distributed
SELECT count() AS tables
FROM system.tables
WHERE database = currentDatabase() AND engine = 'Distributed'

-- name: parts
-- What a table holds, by partition: a day's, of most.
SELECT partition_id AS partition, sum(rows) AS partition_rows
FROM system.parts
WHERE database = currentDatabase() AND table = {table:String} AND active AND rows > 0
GROUP BY partition_id
ORDER BY partition_id

-- name: users
-- Who has used the store in the last minute.
SELECT argMax(owner, epoch) AS last_owner
FROM leases
GROUP BY name
HAVING last_owner != '' AND argMax(claimed_at, epoch) > now64(3, 'UTC') - INTERVAL 1 MINUTE
