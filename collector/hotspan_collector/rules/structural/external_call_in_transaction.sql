/*
id = "external_call_in_transaction"
title = "External call inside a transaction"
finds = "Calls to other services made while a database transaction is open."
why = """
Rows that the transaction has changed stay locked until the other service answers: whoever needs
them waits, too. And when the transaction is rolled back, the message is already sent.
"""
when = "rule_calls WHERE ifNull(in_transaction, true)"
needs = ["hotspan.client.in_transaction", "code.file.path"]
opens_at_once = true
critical_hits_per_hour = 0
summary = "{count} call(s) to {target} while a transaction was open, {wasted} of waiting with its locks"

[suggestions]
commit = "Call {target} when the transaction is over: leave the atomic() block first, or transaction.on_commit(lambda: notify.delay(pk)) with a Celery task that calls. With ATOMIC_REQUESTS, take the view out by @transaction.non_atomic_requests."
*/
WITH
    -- A savepoint exists inside a transaction only: what lies between it and its release does, too.
    savepoints AS
    (
        SELECT
            trace_id,
            entry_span_id,
            extract(db_statement, '(?i)^(?:RELEASE |ROLLBACK TO )?SAVEPOINT\\s+["`]?(\\w+)') AS savepoint,
            minIf(end_ns, match(db_statement, '(?i)^SAVEPOINT')) AS begins_ns,
            maxIf(start_ns, NOT match(db_statement, '(?i)^SAVEPOINT')) AS ends_ns
        FROM rule_spans
        WHERE db_system != '' AND match(db_statement, '(?i)^(RELEASE |ROLLBACK TO )?SAVEPOINT')
            AND (trace_id, entry_span_id) IN (SELECT trace_id, entry_span_id FROM rule_calls WHERE in_transaction IS NULL)
        GROUP BY trace_id, entry_span_id, savepoint
        HAVING begins_ns > 0 AND ends_ns > begins_ns
    ),
    inside AS
    (
        SELECT *, 'high' AS certainty
        FROM rule_calls
        WHERE in_transaction
        UNION ALL
        SELECT DISTINCT rule_calls.*, 'medium' AS certainty
        FROM rule_calls
        INNER JOIN savepoints ON savepoints.trace_id = rule_calls.trace_id AND savepoints.entry_span_id = rule_calls.entry_span_id
        WHERE in_transaction IS NULL AND start_ns >= begins_ns AND end_ns <= ends_ns
    )
SELECT
    trace_id,
    entry_span_id,
    target AS identity,
    'critical' AS severity,
    -- 'high' before 'medium', by the alphabet, too
    min(certainty) AS confidence,
    count() AS count,
    intervalLengthSum(start_ns, end_ns) AS wasted_ns,
    '' AS statement,
    map(
        'target', target,
        'slowest_ms', toString(round(max(duration_ns) / 1e6))) AS details,
    arrayFilter(x -> x != '', [
        if(confidence = 'medium', 'hotspan.client.in_transaction', ''),
        if(code_file = '', 'code.file.path', '')]) AS missing,
    arraySlice(arrayMap(x -> x.2, arraySort(groupArray((start_ns, span_id)))), 1, 20) AS span_ids,
    'commit' AS suggestion,
    code_file,
    code_line,
    code_function
FROM inside
GROUP BY trace_id, entry_span_id, target, code_file, code_line, code_function
