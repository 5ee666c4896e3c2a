/*
id = "cache_hit_rate"
title = "A cache that misses"
finds = "Keys that are asked of the cache, by their pattern, and are mostly not in it; routes and tasks, where the keys are not told."
why = """
A miss costs more than no cache: the round trip, the query behind it, and the write. Below one hit in
two the cache is work without a return.
"""
when = "entries WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') AND (mapContains(counters, 'hotspan.cache.hits') OR mapContains(counters, 'hotspan.cache.misses'))"
needs = ["hotspan.cache.hits", "hotspan.cache.misses", "hotspan.cache.keys"]
opens_at_once = true
critical_hits_per_hour = 0
summary = "{rate} of {what} are found, over {gets} gets in {entries} runs, most of them of {entry}"

[settings.window_minutes]
type = "Float64"
default = 60
unit = "minutes"
reason = "Long enough for a cache to fill."

[settings.min_gets]
type = "UInt32"
default = 200
unit = "gets of a key"
reason = "The first gets after a start are misses."

[settings.hit_percent]
type = "Float64"
default = 50
unit = "% of gets"
reason = "Below one in two a cache costs more than it saves."

[settings.warm_up_minutes]
type = "Float64"
default = 10
unit = "minutes"
reason = "A release that has just come may begin with an empty cache (KEY_PREFIX, VERSION)."

[suggestions]
never = "Not one hit: the key of {entry} hardly comes twice. Leave out of it what differs each time (a time, a random number, the whole URL), and check that set() uses the same key and version."
rarely = "Look at the keys of {entry}: too specific (per user, per query string), a timeout that is too short, or entries that are evicted (maxmemory, MAX_ENTRIES). Use get_or_set, and touch what is still wanted."
*/
WITH
    releases AS
    (
        SELECT service, namespace, environment, version, min(start_time) AS first_seen
        FROM current_entries
        WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
        GROUP BY service, namespace, environment, version
    ),
    -- those that took over from another one within the window
    fresh AS
    (
        SELECT service, namespace, environment, version, first_seen
        FROM (SELECT *, min(first_seen) OVER (PARTITION BY service, namespace, environment) AS earliest FROM releases)
        WHERE first_seen > earliest
    ),
    asked AS
    (
        SELECT
            entry.service AS service, entry.namespace AS namespace, entry.environment AS environment,
            entry.name AS name, entry.weight AS weight,
            (entry.trace_id, entry.entry_span_id) AS place,
            arrayDistinct(arrayFilter(pattern -> pattern != '', arrayMap(
                counter -> extract(counter, '^hotspan\\.cache\\.keys\\.(.+)\\.(?:hits|misses)$'),
                mapKeys(entry.counters)))) AS patterns,
            -- by key, or all of an entry that does not tell its keys
            arrayJoin(if(empty(patterns),
                [('', entry.counters['hotspan.cache.hits'], entry.counters['hotspan.cache.misses'])],
                arrayMap(pattern -> (
                    pattern,
                    entry.counters[concat('hotspan.cache.keys.', pattern, '.hits')],
                    entry.counters[concat('hotspan.cache.keys.', pattern, '.misses')]), patterns))) AS counted
        FROM
        (
            SELECT *
            FROM current_entries
            WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
                AND (mapContains(counters, 'hotspan.cache.hits') OR mapContains(counters, 'hotspan.cache.misses'))
        ) AS entry
        LEFT JOIN fresh
            ON fresh.service = entry.service AND fresh.namespace = entry.namespace
                AND fresh.environment = entry.environment AND fresh.version = entry.version
        WHERE entry.start_time >= addSeconds(fresh.first_seen, toInt64(60 * {warm_up_minutes:Float64}))
    ),
    routes AS
    (
        SELECT
            service, namespace, environment, name,
            counted.1 AS key,
            count() AS n,
            sum(counted.2 * weight) AS hits,
            sum(counted.3 * weight) AS misses,
            sum(counted.2 + counted.3) AS gets,
            argMax(place, counted.3) AS worst
        FROM asked
        GROUP BY service, namespace, environment, name, key
    ),
    -- A key belongs to a service, wherever that asks for it; shown is where it misses most.
    keys AS
    (
        SELECT
            key,
            if(key = '', name, '') AS route,
            sum(routes.n) AS entries,
            sum(routes.hits) AS all_hits,
            sum(routes.misses) AS all_misses,
            sum(routes.gets) AS all_gets,
            argMax((routes.name, routes.worst), (routes.misses, routes.name)) AS most
        FROM routes
        GROUP BY service, namespace, environment, key, route
        HAVING all_gets >= {min_gets:UInt32} AND 100 * all_hits < {hit_percent:Float64} * (all_hits + all_misses)
    )
SELECT
    most.2.1 AS trace_id,
    most.2.2 AS entry_span_id,
    key AS identity,
    'warning' AS severity,
    'high' AS confidence,
    toUInt32(all_gets) AS count,
    0 AS wasted_ns,
    '' AS statement,
    map(
        'entry', toString(most.1),
        'what', if(key = '', 'all keys', concat('the keys ', key)),
        'rate', concat(toString(round(100 * all_hits / (all_hits + all_misses))), ' %'),
        'gets', toString(all_gets),
        'entries', toString(entries)) AS details,
    []::Array(String) AS missing,
    []::Array(FixedString(8)) AS span_ids,
    if(all_hits < 0.01 * all_misses, 'never', 'rarely') AS suggestion,
    '' AS code_file,
    0 AS code_line,
    '' AS code_function
FROM keys
