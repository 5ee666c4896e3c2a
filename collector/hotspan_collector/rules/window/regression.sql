/*
id = "regression"
title = "Worse since a release"
finds = "Routes and tasks that need more queries, more time, or fail more often than in the release before."
why = """
What a release makes worse is cheapest to find on the day it is released: the difference is one diff.
"""
when = "(SELECT 1 FROM entries WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') AND version != '' GROUP BY service, namespace, environment HAVING uniqExact(version) > 1)"
needs = []
opens_at_once = true
critical_hits_per_hour = 0
summary = "{entry} has {what} since {version}: {before} in {old_version}, {after} now ({old_entries} and {entries} runs)"

[settings.window_minutes]
type = "Float64"
default = 1440
unit = "minutes"
reason = "Two releases must lie in it. A release is compared with the one first seen before it."

[settings.min_entries]
type = "UInt32"
default = 30
unit = "entries on each side"
reason = "Fewer cannot be told from chance."

[settings.warm_up_minutes]
type = "Float64"
default = 5
unit = "minutes"
reason = "Empty caches, new connections and compiled templates make the first minutes of a release slow."

[settings.min_percent]
type = "Float64"
default = 20
unit = "% more"
reason = "Less is not worth anybody's morning."

[settings.min_queries]
type = "UInt32"
default = 1
unit = "queries more, in the median"
reason = "The number of queries hardly varies: one more is a change of the code."

[settings.min_ms]
type = "Float64"
default = 20
unit = "ms more, in the p95"
reason = "Less is not felt, however many percent it is."

[settings.max_p]
type = "Float64"
default = 0.01
unit = "probability"
reason = "That two equal releases differ so much by chance (Mann-Whitney for times)."

[settings.deviations]
type = "Float64"
default = 2.58
unit = "standard deviations"
reason = "The same for failures: 1 in 100 by chance (two-proportion test)."

[suggestions]
queries = "Compare a trace of {version} with one of {old_version}: which statement is new, or runs more often? A field that a serializer or template has newly come to read needs its select_related or prefetch_related."
latency = "Compare traces of {version} and {old_version} side by side: which span has grown? When none has, it is Python code; look at the diff of {entry}."
failures = "Look at the newest failing trace of {version}, and at what changed in {entry}. Roll back when it cannot be mended within the hour."
*/
WITH
    -- The newest release of each service (1) and the one before it (2) of those that have run within
    -- the window, with the time when each was first seen, which may be before it. Which of two came
    -- first is not known when both were there when the service itself was first seen.
    (
        SELECT mapFromArrays(groupArray(release), groupArray((first_seen, age)))
        FROM
        (
            SELECT *, max(if(age = 1, head_start_s, 0)) OVER (PARTITION BY service, namespace, environment) AS newest_head_start_s
            FROM
            (
                SELECT
                    service, namespace, environment, release, first_seen,
                    toUInt8(row_number() OVER (PARTITION BY service, namespace, environment ORDER BY first_seen DESC)) AS age,
                    dateDiff('second', min(first_seen) OVER (PARTITION BY service, namespace, environment), first_seen) AS head_start_s
                FROM
                (
                    SELECT
                        service, namespace, environment,
                        cityHash64(service, namespace, environment, version) AS release,
                        min(releases.first_seen) AS first_seen
                    FROM releases
                    GROUP BY service, namespace, environment, release
                    HAVING max(releases.last_seen) >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
                )
            )
        )
        WHERE age <= 2 AND newest_head_start_s > 60 * {warm_up_minutes:Float64}
    ) AS compared,
    usable AS
    (
        SELECT
            service, namespace, environment, version, kind, name,
            cityHash64(service, namespace, environment, version) AS release,
            trace_id, entry_span_id, start_time, duration_ns, db_queries, weight,
            error AND task_state != 'RETRY' AS failed,
            task_state NOT IN ('RETRY', 'IGNORED', 'REJECTED', 'REVOKED') AS has_ended
        FROM current_entries
        WHERE start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
            AND kind IN ('web', 'task')
            AND NOT partial
            AND version != ''
    ),
    warm AS
    (
        SELECT *, compared[release].2 AS age
        FROM usable
        WHERE mapContains(compared, release)
            AND start_time >= addSeconds(compared[release].1, toInt64(60 * {warm_up_minutes:Float64}))
    ),
    routes AS
    (
        SELECT
            service, namespace, environment, kind, name,
            anyIf(version, age = 1) AS new_version,
            anyIf(version, age = 2) AS old_version,
            countIf(age = 1) AS new_n,
            countIf(age = 2) AS old_n,
            countIf(age = 1 AND NOT failed) AS new_good,
            countIf(age = 2 AND NOT failed) AS old_good,
            quantileExactWeightedIf(0.5)(db_queries, toUInt64(round(weight)), age = 1 AND NOT failed) AS new_queries,
            quantileExactWeightedIf(0.5)(db_queries, toUInt64(round(weight)), age = 2 AND NOT failed) AS old_queries,
            quantileExactWeightedIf(0.95)(duration_ns, toUInt64(round(weight)), age = 1 AND NOT failed) / 1e6 AS new_ms,
            quantileExactWeightedIf(0.95)(duration_ns, toUInt64(round(weight)), age = 2 AND NOT failed) / 1e6 AS old_ms,
            sumIf(weight, age = 1 AND has_ended) AS new_weight,
            sumIf(weight, age = 2 AND has_ended) AS old_weight,
            sumIf(weight, age = 1 AND failed) / greatest(1e-9, new_weight) AS new_rate,
            sumIf(weight, age = 2 AND failed) / greatest(1e-9, old_weight) AS old_rate,
            pow(new_weight, 2) / greatest(1e-9, sumIf(weight * weight, age = 1 AND has_ended)) AS new_effective,
            pow(old_weight, 2) / greatest(1e-9, sumIf(weight * weight, age = 2 AND has_ended)) AS old_effective,
            (new_rate * new_effective + old_rate * old_effective) / greatest(1e-9, new_effective + old_effective) AS pooled,
            (new_rate - old_rate) / sqrt(greatest(1e-9, pooled * (1 - pooled) * (1 / greatest(1, new_effective) + 1 / greatest(1, old_effective)))) AS z,
            1 + {min_percent:Float64} / 100 AS factor,
            least(new_good, old_good) >= {min_entries:UInt32} AS is_comparable,
            is_comparable AND new_ms >= greatest(old_ms + {min_ms:Float64}, old_ms * factor) AS is_slower,
            argMaxIf((trace_id, entry_span_id), db_queries, age = 1 AND NOT failed) AS most_queries,
            argMaxIf((trace_id, entry_span_id), duration_ns, age = 1 AND NOT failed) AS slowest,
            argMaxIf((trace_id, entry_span_id), start_time, age = 1 AND failed) AS newest_failure
        FROM warm
        GROUP BY service, namespace, environment, kind, name
        HAVING new_n >= {min_entries:UInt32} AND old_n >= {min_entries:UInt32}
    ),
    -- only for those that may be slower: it ranks every entry
    ranked AS
    (
        SELECT
            service, namespace, environment, kind, name,
            mannWhitneyUTest('less')(duration_ns, if(age = 1, 1, 0)).2 AS p
        FROM warm
        WHERE NOT failed
            AND (service, namespace, environment, kind, name) IN
                (SELECT service, namespace, environment, kind, name FROM routes WHERE is_slower)
        GROUP BY service, namespace, environment, kind, name
    ),
    worse AS
    (
        SELECT
            routes.*,
            arrayJoin(arrayFilter(found -> found.1 != '', [
                (
                    if(is_comparable
                        AND new_queries >= old_queries + {min_queries:UInt32}
                        AND new_queries >= old_queries * factor, 'queries', ''),
                    'more queries', toString(old_queries), toString(new_queries), most_queries, 0.
                ),
                (
                    if(is_slower AND ranked.name != '' AND ranked.p < {max_p:Float64}, 'latency', ''),
                    'a longer p95', concat(toString(round(old_ms)), ' ms'), concat(toString(round(new_ms)), ' ms'),
                    slowest, 1e6 * greatest(0, new_ms - old_ms)
                ),
                (
                    if(least(new_effective, old_effective) >= {min_entries:UInt32}
                        AND new_rate >= old_rate * factor
                        AND z > {deviations:Float64}, 'failures', ''),
                    'more failures', concat(toString(round(100 * old_rate, 1)), ' %'), concat(toString(round(100 * new_rate, 1)), ' %'),
                    newest_failure, 0.
                )])) AS found
        FROM routes
        LEFT JOIN ranked
            ON ranked.service = routes.service AND ranked.namespace = routes.namespace
                AND ranked.environment = routes.environment AND ranked.kind = routes.kind
                AND ranked.name = routes.name
    )
SELECT
    found.5.1 AS trace_id,
    found.5.2 AS entry_span_id,
    found.1 AS identity,
    'warning' AS severity,
    'high' AS confidence,
    toUInt32(new_n) AS count,
    toUInt64(found.6) AS wasted_ns,
    '' AS statement,
    map(
        'entry', toString(name),
        'what', found.2,
        'before', found.3,
        'after', found.4,
        'version', toString(new_version),
        'old_version', toString(old_version),
        'entries', toString(new_n),
        'old_entries', toString(old_n)) AS details,
    []::Array(String) AS missing,
    []::Array(FixedString(8)) AS span_ids,
    -- 'queries', 'latency' or 'failures'
    identity AS suggestion,
    '' AS code_file,
    0 AS code_line,
    '' AS code_function
FROM worse
