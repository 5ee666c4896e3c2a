/*
id = "cacheable_query"
title = "The same answer again and again"
finds = "A query with the same parameters in many requests or tasks, while nothing writes to its tables."
why = """
Settings, menus, permissions, exchange rates: they change once a day and are read on every request.
The database answers the same question thousands of times.
"""
when = "(SELECT 1 FROM entries WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') GROUP BY service, namespace, environment HAVING sum(weight * arraySum(statements.count)) >= {min_entries:UInt32})"
needs = ["hotspan.db.param_hash"]
opens_at_once = true
critical_hits_per_hour = 0
summary = "{entry} asks the same in {runs} runs, {time} in all; {everywhere} runs in the whole service ({statement})"

[settings.window_minutes]
type = "Float64"
default = 60
unit = "minutes"
reason = "An hour: what is asked less often is not worth a cache."

[settings.min_entries]
type = "UInt32"
default = 100
unit = "entries of a service with the same query and parameters"
reason = "From here on a timeout of some minutes answers most of them."

[settings.min_total_ms]
type = "Float64"
default = 1000
unit = "ms, of all of them"
reason = "Below a second an hour the cache's own round trips cost as much."

[settings.warning_total_ms]
type = "Float64"
default = 10000
unit = "ms, of all of them"
reason = "Ten seconds an hour are felt by everything else that asks this database."

[settings.min_share_percent]
type = "Float64"
default = 10
unit = "% of the entries"
reason = "Named are the routes and tasks from which most of it comes."

[suggestions]
cache = "Keep the answer: cache.get_or_set(\"…\", lambda: …, timeout=300), or functools.lru_cache for what changes with a release only. Nothing wrote to {tables} in that time."
invalidate = "Keep the answer with cache.get_or_set, and delete it where {tables} is written (post_save, or the service that writes): that was {writes} times."
*/
WITH
    asked AS
    (
        SELECT
            service, namespace, environment, name,
            statement.fingerprint AS fingerprint,
            statement.param_hash AS param_hash,
            sum(weight) AS runs,
            sum(statement.time_ns * weight) AS time_ns,
            argMax((trace_id, entry_span_id), statement.time_ns) AS slowest
        FROM current_entries
        ARRAY JOIN arrayFilter(s -> NOT s.is_write AND s.param_hash != '', statements) AS statement
        WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
        GROUP BY service, namespace, environment, name, fingerprint, param_hash
    ),
    often AS
    (
        SELECT
            *,
            sum(runs) OVER everywhere AS all_runs,
            sum(time_ns) OVER everywhere AS all_time_ns,
            max(runs) OVER everywhere AS most_runs
        FROM asked
        WINDOW everywhere AS (PARTITION BY service, namespace, environment, fingerprint, param_hash)
    ),
    texts AS
    (
        SELECT
            fingerprint,
            any(known.text) AS text,
            arrayDistinct(arrayMap(t -> lower(t), extractAll(text, '(?i)\\b(?:FROM|JOIN|INTO|UPDATE)\\s+(?:ONLY\\s+)?(?:["`\\[]?\\w+["`\\]]?\\.)?["`\\[]?(\\w+)'))) AS tables
        FROM statements AS known
        GROUP BY fingerprint
    ),
    -- how often each table was written, by whomever
    written AS
    (
        SELECT mapFromArrays(groupArray(place), groupArray(times)) AS times_by_place
        FROM
        (
            SELECT
                concat(namespace, '/', environment, '/', arrayJoin(texts.tables)) AS place,
                toUInt64(ceil(sum(write.times))) AS times
            FROM
            (
                SELECT namespace, environment, s.fingerprint AS fingerprint, sum(s.count * weight) AS times
                FROM current_entries
                ARRAY JOIN arrayFilter(s -> s.is_write, statements) AS s
                WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
                GROUP BY namespace, environment, fingerprint
            ) AS write
            INNER JOIN texts ON texts.fingerprint = write.fingerprint
            GROUP BY place
        )
    ),
    kept AS
    (
        SELECT
            often.*,
            texts.text AS text,
            texts.tables AS tables,
            arraySum(t -> (SELECT times_by_place FROM written)[concat(namespace, '/', environment, '/', t)], tables) AS writes
        FROM often
        INNER JOIN texts ON texts.fingerprint = often.fingerprint
        WHERE all_runs >= {min_entries:UInt32}
            AND all_time_ns >= 1e6 * {min_total_ms:Float64}
            AND (runs = most_runs OR 100 * runs >= {min_share_percent:Float64} * all_runs)
            AND match(text, '(?i)^\\s*(SELECT|WITH)\\b')
            -- locks, and what differs each time by its nature; sessions have caches of their own
            AND NOT match(text, '(?i)\\bFOR (UPDATE|SHARE|NO KEY|KEY)\\b|\\b(nextval|random|now|clock_timestamp)\\(|\\bdjango_session\\b')
            AND notEmpty(tables)
            -- as often between two writes, on average
            AND all_runs / (writes + 1) >= {min_entries:UInt32}
    ),
    by_statement AS
    (
        SELECT
            service, namespace, environment, name, fingerprint,
            any(text) AS text,
            any(tables) AS tables,
            max(writes) AS most_writes,
            sum(runs) AS n,
            sum(time_ns) AS total_ns,
            max(all_runs) AS everywhere,
            argMax(slowest, time_ns) AS worst
        FROM kept
        GROUP BY service, namespace, environment, name, fingerprint
    )
SELECT
    worst.1 AS trace_id,
    worst.2 AS entry_span_id,
    toString(fingerprint) AS identity,
    if(total_ns >= 1e6 * {warning_total_ms:Float64}, 'warning', 'info') AS severity,
    'high' AS confidence,
    toUInt32(n) AS count,
    toUInt64(total_ns / n) AS wasted_ns,
    text AS statement,
    map(
        'entry', toString(name),
        'runs', toString(round(n)),
        'everywhere', toString(round(everywhere)),
        'time', concat(toString(round(total_ns / 1e9, 1)), ' s'),
        'tables', arrayStringConcat(tables, ', '),
        'writes', toString(most_writes)) AS details,
    []::Array(String) AS missing,
    []::Array(FixedString(8)) AS span_ids,
    if(most_writes = 0, 'cache', 'invalidate') AS suggestion,
    '' AS code_file,
    0 AS code_line,
    '' AS code_function
FROM by_statement
