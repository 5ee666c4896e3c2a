-- name: unsettled_evidence
-- The newest and the worst finding of each violation that is not settled, where they are old enough.
-- What is pinned stands in for what is gone.
WITH
    unsettled AS
    (
        SELECT fingerprint
        FROM violations FINAL
        WHERE status NOT IN ('pending', 'resolved', 'verified_fixed')
    )
SELECT
    fingerprint,
    place.1 AS role,
    lower(hex(place.2.2)) AS trace,
    lower(hex(place.2.3)) AS entry,
    place.2.4 AS finding_generation
FROM
(
    SELECT
        fingerprint,
        arrayJoin([
            ('newest', argMax((entry_start, trace_id, entry_span_id, generation), entry_start)),
            ('worst', argMax((entry_start, trace_id, entry_span_id, generation), (wasted_ns, entry_start)))
        ]) AS place
    FROM known_findings
    WHERE fingerprint IN unsettled
    GROUP BY fingerprint
)
WHERE place.2.1 < fromUnixTimestamp64Milli({before_ms:Int64}, 'UTC')
    AND (fingerprint, place.1, place.2.2, place.2.3) NOT IN
    (
        SELECT fingerprint, toString(role), trace_id, entry_span_id FROM pinned_findings FINAL
    )

-- name: pin_findings
INSERT INTO pinned_findings
WITH chosen AS
(
    SELECT
        place.1 AS fingerprint,
        place.2 AS role,
        toFixedString(unhex(place.3), 16) AS trace_id,
        toFixedString(unhex(place.4), 8) AS entry_span_id,
        place.5 AS generation
    FROM (SELECT arrayJoin(arrayZip({fingerprints:Array(String)}, {roles:Array(String)}, {traces:Array(String)}, {entries:Array(String)}, {generations:Array(UInt64)})) AS place)
)
SELECT found.*, chosen.role, now64(3, 'UTC')
FROM
(
    SELECT * FROM findings FINAL WHERE fingerprint IN {fingerprints:Array(String)}
    UNION ALL
    SELECT * EXCEPT (role, pinned_at) FROM pinned_findings FINAL WHERE fingerprint IN {fingerprints:Array(String)}
) AS found
INNER JOIN chosen USING (fingerprint, trace_id, entry_span_id, generation)
LIMIT 1 BY fingerprint, chosen.role

-- name: pin_spans
-- Of traces whose findings are pinned and that are not; what was sent twice is one.
INSERT INTO pinned_spans
SELECT *
FROM
(
    SELECT *
    FROM spans
    WHERE trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
        AND start_time >= (SELECT min(started) FROM trace_bounds WHERE trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16)))
        AND start_time <= (SELECT max(ended) FROM trace_bounds WHERE trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16)))
        AND trace_id NOT IN (SELECT trace_id FROM pinned_spans)
    LIMIT 1 BY trace_id, span_id
)
ORDER BY trace_id, start_time, span_id
LIMIT {most_spans:UInt32} BY trace_id

-- name: unneeded_spans
SELECT count() AS spans
FROM pinned_spans
WHERE trace_id NOT IN (SELECT trace_id FROM pinned_findings FINAL)

-- name: unpin_spans
DELETE FROM pinned_spans WHERE trace_id NOT IN (SELECT trace_id FROM pinned_findings FINAL)
