/*
id = "long_transaction"
title = "Long transaction"
finds = "Transactions that stay open for long or sit idle, and statements that wait for the locks of others."
why = """
What a transaction has changed or locked stays locked until it ends. Others wait for it, and while it
is open PostgreSQL cannot clean up behind anybody.
"""
when = "rule_spans WHERE (is_transaction AND duration_ns >= least({idle_ms:Float64}, {web_ms:Float64}, {task_ms:Float64}) * 1e6) OR (is_query AND duration_ns >= 2e7)"
needs = ["hotspan.tx.outcome", "code.file.path"]
opens_at_once = false
critical_hits_per_hour = 0
summary = "{what} in one {entry_kind}"

[settings.web_ms]
type = "Float64"
default = 1000
unit = "ms"
reason = "Whoever needs the same rows in another request waits as long."

[settings.task_ms]
type = "Float64"
default = 5000
unit = "ms"
reason = "Tasks work on more rows, but pages wait for them, too. Counts for commands, too."

[settings.idle_ms]
type = "Float64"
default = 500
unit = "ms"
reason = "Holding locks without asking anything of the database is never needed."

[settings.critical_factor]
type = "Float64"
default = 5
unit = "times the limit"
reason = "By then the requests of others time out."

[settings.lock_ratio]
type = "Float64"
default = 20
unit = "p95 / p50"
reason = "The same statement takes the same time, unless it waits for a lock."

[settings.lock_min_count]
type = "UInt32"
default = 20
unit = "statements"
reason = "Fewer tell no 95th percentile."

[suggestions]
idle = "Take what is not a query out of the atomic() block: compute, render and call others before it begins, or in transaction.on_commit(). {idle_ms} of {length_ms} ms passed without a query."
long = "Make the atomic() block shorter: do many rows in batches with a transaction each, and read before it begins. Work on a queue of rows with select_for_update(skip_locked=True)."
reads = "It only reads: without atomic() (and without ATOMIC_REQUESTS for this view: @transaction.non_atomic_requests) no snapshot is held open."
locks = "Some executions of this statement on {table} take {ratio} times as long as most: they wait for locks. Shorten the transactions that change {table}, take locks in the same order everywhere, or use select_for_update(skip_locked=True) or nowait=True."
*/
WITH
    involved AS
    (
        SELECT DISTINCT trace_id, entry_span_id
        FROM rule_spans
        WHERE (is_transaction AND duration_ns >= least({idle_ms:Float64}, {web_ms:Float64}, {task_ms:Float64}) * 1e6)
            OR (is_query AND duration_ns >= 2e7)
    ),
    statements AS
    (
        SELECT
            trace_id, entry_span_id, start_ns, end_ns, duration_ns, db_statement, db_fingerprint, span_id,
            code_file, code_line, code_function, entry_kind,
            attributes['hotspan.db.alias'] AS alias,
            match(db_statement, '(?i)^\\s*(/\\*.*?\\*/\\s*)*(INSERT|UPDATE|DELETE|MERGE|REPLACE|LOCK)\\b|\\bFOR (NO KEY )?(UPDATE|SHARE)\\b') AS locks
        FROM rule_spans
        WHERE is_query AND (trace_id, entry_span_id) IN involved
    ),
    transactions AS
    (
        SELECT
            trace_id, entry_span_id, span_id, start_ns, end_ns, duration_ns,
            entry_kind,
            attributes['hotspan.db.alias'] AS alias,
            code_file, code_line, code_function,
            duration_ns >= if(entry_kind = 'web', {web_ms:Float64}, {task_ms:Float64}) * 1e6 AS is_long
        FROM rule_spans
        WHERE is_transaction
            AND duration_ns >= least({idle_ms:Float64}, {web_ms:Float64}, {task_ms:Float64}) * 1e6
    ),
    measured AS
    (
        SELECT
            transactions.trace_id AS trace_id,
            transactions.entry_span_id AS entry_span_id,
            transactions.span_id AS span_id,
            any(transactions.entry_kind) AS kind,
            any(transactions.duration_ns) AS length_ns,
            any(is_long) AS long,
            any((transactions.code_file, transactions.code_line, transactions.code_function)) AS site,
            -- the place of the first statement, where that of the transaction is not known
            argMinIf((statements.code_file, statements.code_line, statements.code_function), statements.start_ns, statements.code_file != '') AS first_site,
            any(transactions.start_ns) AS began_ns,
            length_ns - least(length_ns, intervalLengthSumIf(
                greatest(statements.start_ns, transactions.start_ns), least(statements.end_ns, transactions.end_ns), statements.span_id != toFixedString('', 8))) AS idle_ns,
            countIf(statements.locks) > 0 AS holds_locks
        FROM transactions
        LEFT JOIN statements
            ON statements.trace_id = transactions.trace_id
            AND statements.entry_span_id = transactions.entry_span_id
            AND statements.alias = transactions.alias
            AND statements.start_ns < transactions.end_ns AND statements.end_ns > transactions.start_ns
        GROUP BY trace_id, entry_span_id, span_id
        HAVING long OR idle_ns >= {idle_ms:Float64} * 1e6
    ),
    waits AS
    (
        SELECT
            trace_id, entry_span_id, db_fingerprint, code_file, code_line, code_function,
            any(entry_kind) AS kind,
            count() AS n,
            quantileExact(0.5)(duration_ns) AS p50,
            quantileExact(0.95)(duration_ns) AS p95,
            any(db_statement) AS example,
            arrayMap(x -> x.2, arraySlice(arraySort(x -> -x.1, groupArray((duration_ns, span_id))), 1, 20)) AS slowest
        FROM statements
        WHERE locks
        GROUP BY trace_id, entry_span_id, db_fingerprint, code_file, code_line, code_function
        HAVING n >= {lock_min_count:UInt32}
            AND p95 >= p50 * {lock_ratio:Float64}
            -- what is always slow does not wait, and what is quick at its slowest harms nobody
            AND p50 < 5e6 AND p95 >= 2e7
    ),
    problems AS
    (
        SELECT
            trace_id,
            entry_span_id,
            if(site.1 != '', site, first_site) AS place,
            place.3 AS identity,
            any(kind) AS entry_type,
            count() AS n,
            max(length_ns) AS longest_ns,
            max(idle_ns) AS idlest_ns,
            toUInt64(sum(length_ns)) AS wasted_ns,
            holds_locks,
            toFloat64(0) AS p50_ns,
            toFloat64(0) AS p95_ns,
            '' AS example,
            arraySlice(arrayMap(x -> x.2, arraySort(groupArray((began_ns, span_id)))), 1, 20) AS span_ids
        FROM measured
        GROUP BY trace_id, entry_span_id, holds_locks, site, first_site
        UNION ALL
        SELECT
            trace_id,
            entry_span_id,
            (code_file, code_line, code_function),
            toString(db_fingerprint),
            kind,
            n,
            0, 0,
            toUInt64((p95 - p50) * ceil(n * 0.05)),
            true,
            toFloat64(p50), toFloat64(p95),
            example,
            slowest
        FROM waits
    )
SELECT
    trace_id,
    entry_span_id,
    identity,
    multiIf(
        NOT holds_locks, 'info',
        longest_ns >= {critical_factor:Float64} * if(entry_type = 'web', {web_ms:Float64}, {task_ms:Float64}) * 1e6, 'critical',
        'warning') AS severity,
    if(place.1 = '' OR example != '', 'medium', 'high') AS confidence,
    n AS count,
    wasted_ns,
    normalizeQuery(replaceRegexpAll(example, '%\\(\\w+\\)s|%s|\\$\\d+|\\?|:\\w+', '1')) AS statement,
    map(
        'entry_kind', if(entry_type = 'web', 'request', entry_type),
        'what', if(
            example = '',
            concat(
                toString(n), ' transaction(s) open for ', toString(round(longest_ns / 1e6)), ' ms, ',
                toString(round(idlest_ns / 1e6)), ' ms of it without a query'),
            concat(
                'The same statement takes ', toString(round(p50_ns / 1e6, 1)), ' ms mostly, and ',
                toString(round(p95_ns / 1e6, 1)), ' ms once in twenty times')),
        'table', extract(example, '(?i)\\b(?:FROM|UPDATE|INTO)\\s+["`\\[]?([\\w.]+)'),
        'ratio', toString(round(p95_ns / greatest(1, p50_ns))),
        'length_ms', toString(round(longest_ns / 1e6)),
        'idle_ms', toString(round(idlest_ns / 1e6))) AS details,
    arrayFilter(x -> x != '', [
        if(example = '', '', 'hotspan.tx.outcome'),
        if(place.1 = '', 'code.file.path', '')]) AS missing,
    span_ids,
    multiIf(
        example != '', 'locks',
        idlest_ns >= {idle_ms:Float64} * 1e6, 'idle',
        NOT holds_locks, 'reads',
        'long') AS suggestion,
    place.1 AS code_file,
    place.2 AS code_line,
    place.3 AS code_function
FROM problems
