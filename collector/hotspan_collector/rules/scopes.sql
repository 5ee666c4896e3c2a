-- name: masks
-- Which scopes hold for which of the entries: a bit each.
SELECT DISTINCT {mask} AS mask FROM {entries} AS entry

-- name: fingerprint
concat('v1:', lower(hex(sipHash128({rule:String}, entry.namespace, entry.service, entry.environment, multiIf({about:String} = 'service', '', {about:String} = 'task', found.details['task'], entry.name), found.identity))))

-- name: kept
-- What a rule finds where its values are in force.
SELECT found.*
FROM
(
{rule_sql}
) AS found
INNER JOIN (SELECT * FROM {entries}) AS entry
    ON entry.trace_id = found.trace_id AND entry.entry_span_id = found.entry_span_id
WHERE {mask} = {wanted}
