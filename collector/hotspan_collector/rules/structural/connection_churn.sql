/*
id = "connection_churn"
title = "Connections opened over and over"
finds = "Entries that open several connections to the same database or Redis."
why = """
A connection costs a round trip or several, a login, and with PostgreSQL a process of its own. Opened
at each access they cost more than the queries, and the database runs out of them.
"""
when = "(SELECT 1 FROM rule_spans WHERE is_connect GROUP BY trace_id, entry_span_id HAVING count() >= {min_connects:UInt32})"
needs = ["hotspan.db.connect", "code.file.path"]
opens_at_once = false
critical_hits_per_hour = 0
summary = "{count} connections to {target} opened in one {entry_kind}, {wasted} that one connection would save"

[settings.min_connects]
type = "UInt32"
default = 3
unit = "connections"
reason = "One may be the first of the process, a second one a reconnect."

[suggestions]
own = "Open the connection to {target} once and keep it: a module-level connection or pool, functools.cached_property on an object that lives as long as the process, threading.local() where the driver is not thread-safe. Or list it in DATABASES, so that Django keeps it (CONN_MAX_AGE)."
django = "Let Django keep the connection to {target}: CONN_MAX_AGE = 600 (with CONN_HEALTH_CHECKS = True), or OPTIONS = {{\"pool\": True}} on PostgreSQL; and do not call connection.close() in between. Threads that are started per request open one each."
redis = "Share one Redis client: a module-level redis.Redis(connection_pool=…), or get_redis_connection() of the cache; a client that is made per call opens a connection each time."
*/
WITH
    -- databases that Django has connected to
    of_django AS
    (
        SELECT DISTINCT
            trace_id, entry_span_id,
            if(attributes['db.namespace'] != '', attributes['db.namespace'], attributes['db.name']) AS database,
            concat(db_system, if(database != '', concat(' ', database), ''), if(peer != '', concat(' at ', peer), '')) AS target
        FROM rule_spans
        WHERE is_query AND attributes['hotspan.db.alias'] != ''
    ),
    connects AS
    (
        SELECT
            trace_id, entry_span_id, entry_kind, start_ns, end_ns, span_id,
            attributes['hotspan.db.connect'] = 'true' AS told,
            db_system,
            if(attributes['db.namespace'] != '', attributes['db.namespace'], attributes['db.name']) AS database,
            concat(db_system, if(database != '', concat(' ', database), ''), if(peer != '', concat(' at ', peer), '')) AS target,
            code_file, code_line, code_function
        FROM rule_spans
        WHERE is_connect
    ),
    counted AS
    (
        SELECT
            trace_id, entry_span_id, target,
            any(entry_kind) AS kind,
            max(told) AS is_told,
            any(db_system) AS system,
            countIf(told OR NOT is_enriched) AS n,
            intervalLengthSumIf(start_ns, end_ns, told OR NOT is_enriched) AS total_ns,
            maxIf(end_ns - start_ns, told OR NOT is_enriched) AS longest_ns,
            arraySlice(arrayMap(x -> x.2, arraySort(groupArrayIf((start_ns, span_id), told OR NOT is_enriched))), 1, 20) AS span_ids,
            topKIf(1)((code_file, code_line, code_function), code_file != '') AS sites
        FROM (SELECT *, max(told) OVER (PARTITION BY trace_id, entry_span_id) AS is_enriched FROM connects)
        GROUP BY trace_id, entry_span_id, target
        HAVING n >= {min_connects:UInt32}
    )
SELECT
    trace_id,
    entry_span_id,
    target AS identity,
    'warning' AS severity,
    if(is_told, 'high', 'medium') AS confidence,
    n AS count,
    toUInt64(total_ns - least(total_ns, longest_ns)) AS wasted_ns,
    '' AS statement,
    map(
        'target', target,
        'entry_kind', if(kind = 'web', 'request', kind),
        'total_ms', toString(round(total_ns / 1e6, 1))) AS details,
    arrayFilter(x -> x != '', [
        if(is_told, '', 'hotspan.db.connect'),
        if(empty(sites), 'code.file.path', '')]) AS missing,
    span_ids,
    multiIf(system IN ('redis', 'memcached'), 'redis', NOT is_told OR (trace_id, entry_span_id, target) IN (SELECT trace_id, entry_span_id, target FROM of_django), 'django', 'own') AS suggestion,
    if(empty(sites), '', sites[1].1) AS code_file,
    if(empty(sites), 0, sites[1].2) AS code_line,
    if(empty(sites), '', sites[1].3) AS code_function
FROM counted
