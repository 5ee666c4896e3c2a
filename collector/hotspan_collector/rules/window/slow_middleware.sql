/*
id = "slow_middleware"
title = "Slow middleware"
finds = "Middleware that costs every request of a route, whatever the view does."
why = """
A middleware runs for every request: what it takes is added to each page, and no view's author sees
it.
"""
when = "(SELECT 1 FROM entries WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') AND kind = 'web' GROUP BY service, namespace, environment HAVING count() >= {min_entries:UInt32})"
needs = ["hotspan.middleware.<name>.self_ms"]
about = "service"
opens_at_once = true
critical_hits_per_hour = 0
summary = "{middleware} takes {p50} of a request of {route} (the median of {entries}); routes slowed: {routes}"

[settings.window_minutes]
type = "Float64"
default = 60
unit = "minutes"
reason = "Long enough for routes that are called now and then."

[settings.min_entries]
type = "UInt32"
default = 20
unit = "requests of a route"
reason = "Fewer do not tell what is usual."

[settings.warning_ms]
type = "Float64"
default = 50
unit = "ms, in the median"
reason = "A quarter of what a page may take."

[settings.critical_ms]
type = "Float64"
default = 200
unit = "ms, in the median"
reason = "All that a page may take."

[suggestions]
always = "Do the work of {middleware} less often (once a minute, by cache.add), keep what it looks up in the cache, or hand it to a task. When only some routes need it, make it a decorator of those."
*/
WITH
    -- one row an entry (without a name), and one for each of its middlewares that took long enough to be told
    measured AS
    (
        SELECT
            service, namespace, environment, name, trace_id, entry_span_id,
            arrayJoin(arrayConcat([('', 0.)], arrayFilter(
                m -> startsWith(m.1, 'hotspan.middleware.') AND endsWith(m.1, '.self_ms'),
                CAST(counters, 'Array(Tuple(String, Float64))')))) AS own_time
        FROM current_entries
        WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
            AND kind = 'web'
            AND NOT partial
    ),
    by_route AS
    (
        SELECT
            service, namespace, environment, name,
            replaceRegexpAll(own_time.1, '^hotspan\\.middleware\\.|\\.self_ms$', '') AS middleware,
            if(middleware = '', count(), 0) AS entries,
            arrayReverseSort(groupArrayIf(own_time.2, own_time.1 != '')) AS times,
            argMax((trace_id, entry_span_id), own_time.2) AS slowest
        FROM measured
        GROUP BY service, namespace, environment, name, own_time.1
    ),
    -- the median over all requests, of which those not told took no time
    typical AS
    (
        SELECT
            *,
            max(entries) OVER (PARTITION BY service, namespace, environment, name) AS n,
            times[toUInt32(ceil(n / 2))] AS p50
        FROM by_route
    ),
    slow AS
    (
        SELECT
            service, namespace, environment, middleware,
            max(p50) AS highest,
            argMax(slowest, p50) AS worst,
            argMax(name, p50) AS route,
            argMax(n, p50) AS n_of_route,
            uniqExact(name) AS routes
        FROM typical
        WHERE middleware != '' AND n >= {min_entries:UInt32} AND p50 >= {warning_ms:Float64}
        GROUP BY service, namespace, environment, middleware
    )
SELECT
    worst.1 AS trace_id,
    worst.2 AS entry_span_id,
    middleware AS identity,
    if(highest >= {critical_ms:Float64}, 'critical', 'warning') AS severity,
    'high' AS confidence,
    toUInt32(n_of_route) AS count,
    toUInt64(1e6 * highest) AS wasted_ns,
    '' AS statement,
    map(
        'middleware', middleware,
        'route', toString(route),
        'p50', concat(toString(round(highest)), ' ms'),
        'entries', toString(n_of_route),
        'routes', toString(routes)) AS details,
    []::Array(String) AS missing,
    []::Array(FixedString(8)) AS span_ids,
    'always' AS suggestion,
    '' AS code_file,
    0 AS code_line,
    '' AS code_function
FROM slow
