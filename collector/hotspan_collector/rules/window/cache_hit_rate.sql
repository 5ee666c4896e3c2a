/*
id = "cache_hit_rate"
title = "A cache that misses"
finds = "Routes and tasks that ask the cache, and mostly get nothing."
why = """
A miss costs more than no cache: the round trip, the query behind it, and the write. Below one hit in
two the cache is work without a return.
"""
when = "entries WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') AND (mapContains(counters, 'hotspan.cache.hits') OR mapContains(counters, 'hotspan.cache.misses'))"
needs = ["hotspan.cache.hits", "hotspan.cache.misses"]
opens_at_once = true
critical_hits_per_hour = 0
summary = "{entry} finds {rate} of what it asks the cache for, over {gets} gets in {entries} runs"

[settings.window_minutes]
type = "Float64"
default = 60
unit = "minutes"
reason = "Long enough for a cache to fill."

[settings.min_gets]
type = "UInt32"
default = 200
unit = "gets"
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
    routes AS
    (
        SELECT
            entry.service AS service, entry.kind AS kind, entry.name AS name,
            count() AS n,
            sum(entry.counters['hotspan.cache.hits'] * weight) AS hits,
            sum(entry.counters['hotspan.cache.misses'] * weight) AS misses,
            sum(entry.counters['hotspan.cache.hits'] + entry.counters['hotspan.cache.misses']) AS gets,
            argMax((entry.trace_id, entry.entry_span_id), entry.counters['hotspan.cache.misses']) AS worst
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
        GROUP BY entry.service, entry.namespace, entry.environment, entry.kind, entry.name
        HAVING gets >= {min_gets:UInt32} AND 100 * hits < {hit_percent:Float64} * (hits + misses)
    )
SELECT
    worst.1 AS trace_id,
    worst.2 AS entry_span_id,
    '' AS identity,
    'warning' AS severity,
    'high' AS confidence,
    toUInt32(gets) AS count,
    0 AS wasted_ns,
    '' AS statement,
    map(
        'entry', toString(name),
        'rate', concat(toString(round(100 * hits / (hits + misses))), ' %'),
        'gets', toString(gets),
        'entries', toString(n)) AS details,
    []::Array(String) AS missing,
    []::Array(FixedString(8)) AS span_ids,
    if(hits < 0.01 * misses, 'never', 'rarely') AS suggestion,
    '' AS code_file,
    0 AS code_line,
    '' AS code_function
FROM routes
