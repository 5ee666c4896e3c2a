-- name: services
SELECT
    service,
    namespace,
    environment,
    minMap([version], [toUnixTimestamp64Nano(start_time)]) AS first_seen,
    arrayFilter(v -> v != '', arrayReverseSort((v, t) -> t, first_seen.1, first_seen.2)) AS versions,
    count() AS entries,
    countIf(error) AS errors,
    quantilesTDigest(0.5, 0.95)(duration_ns) AS durations_ns,
    toUnixTimestamp64Nano(max(start_time)) AS last_seen_ns
FROM entries FINAL
WHERE deleted = 0
    AND start_time >= fromUnixTimestamp64Nano({since_ns:Int64}, 'UTC')
    AND start_time < fromUnixTimestamp64Nano({until_ns:Int64}, 'UTC')
GROUP BY service, namespace, environment
ORDER BY entries DESC, service, namespace, environment
LIMIT {limit:UInt32}

-- name: entry_groups
SELECT
    service,
    environment,
    kind,
    name,
    count() AS entries,
    countIf(error) AS errors,
    quantilesTDigest(0.5, 0.95)(duration_ns) AS durations_ns,
    avg(db_queries) AS queries_mean,
    quantileTDigest(0.95)(db_queries) AS queries_p95,
    toUnixTimestamp64Nano(max(start_time)) AS last_seen_ns
FROM entries FINAL
WHERE deleted = 0
    AND start_time >= fromUnixTimestamp64Nano({since_ns:Int64}, 'UTC')
    AND start_time < fromUnixTimestamp64Nano({until_ns:Int64}, 'UTC')
    AND ({service:String} = '' OR service = {service:String})
    AND ({environment:String} = '' OR environment = {environment:String})
    AND ({kind:String} = '' OR kind = {kind:String})
GROUP BY service, environment, kind, name
ORDER BY sum(duration_ns) DESC, service, environment, kind, name
LIMIT {limit:UInt32}
