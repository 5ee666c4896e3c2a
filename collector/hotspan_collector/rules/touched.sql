-- name: create_seen_inserts
-- Inserts that the last tick has looked at. All tables of this file live in memory: they hold what
-- is under way, and are made anew with the evaluator.
CREATE OR REPLACE TABLE seen_inserts (trace_id FixedString(16), mark UInt64) ENGINE = Memory;

-- name: create_new_inserts
-- Inserts since the watermark, by trace. The number of spans is part of a mark: two inserts of one
-- millisecond may become visible one after the other.
CREATE OR REPLACE TABLE new_inserts (trace_id FixedString(16), mark UInt64, spans UInt64) ENGINE = Memory;

-- name: create_waiting_traces
-- Traces that have to be looked at again although nothing comes, because of entries that are not
-- settled, and long ones that rest.
CREATE OR REPLACE TABLE waiting_traces
(
    trace_id FixedString(16),
    -- of the newest insert: who looks back as far finds the trace again
    inserted_ms Int64,
    spans UInt64,
    -- not before: a long trace rests
    due_ms Int64,
    -- false: it rests, and nothing new is known of it
    must Bool
)
ENGINE = Memory;

-- name: create_next_waiting_traces
CREATE OR REPLACE TABLE next_waiting_traces AS waiting_traces ENGINE = Memory;

-- name: create_touched_traces
-- Traces that this tick looks at, numbered, so that ranges of them can be evaluated apart.
CREATE OR REPLACE TABLE touched_traces
(
    trace_id FixedString(16),
    number UInt64,
    -- of the traces up to this one
    spans UInt64
)
ENGINE = Memory;

-- name: create_tick_traces
-- Traces of the part that is evaluated now.
CREATE OR REPLACE TABLE tick_traces (trace_id FixedString(16)) ENGINE = Memory;

-- name: fill_new_inserts
INSERT INTO new_inserts
SELECT trace_id, cityHash64(inserted_at, count()), count()
FROM spans
WHERE inserted_at > fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC')
GROUP BY trace_id, inserted_at

-- name: fill_touched_traces
INSERT INTO touched_traces
SELECT
    trace_id,
    row_number() OVER (ORDER BY trace_id),
    sum(trace_spans) OVER (ORDER BY trace_id)
FROM
(
    SELECT trace_id, max(known_spans) AS trace_spans
    FROM
    (
        SELECT trace_id, sum(spans) AS known_spans
        FROM new_inserts
        WHERE trace_id IN (SELECT trace_id FROM new_inserts WHERE (trace_id, mark) NOT IN (SELECT trace_id, mark FROM seen_inserts))
        GROUP BY trace_id
        UNION ALL
        SELECT trace_id, spans FROM waiting_traces WHERE must
    )
    WHERE trace_id NOT IN (SELECT trace_id FROM waiting_traces WHERE due_ms > {now_ms:Int64})
    GROUP BY trace_id
)

-- name: parts
-- Ranges of touched traces with about as many spans each.
SELECT min(number) AS first, max(number) AS last
FROM touched_traces
GROUP BY intDiv(spans, {spans_per_part:UInt64})
ORDER BY first

-- name: fill_tick_traces
INSERT INTO tick_traces
SELECT trace_id FROM touched_traces WHERE number BETWEEN {first:UInt64} AND {last:UInt64}

-- name: rest
-- Traces that are not due.
INSERT INTO next_waiting_traces
SELECT
    trace_id, inserted_ms, spans, due_ms,
    must OR trace_id IN (SELECT trace_id FROM new_inserts WHERE (trace_id, mark) NOT IN (SELECT trace_id, mark FROM seen_inserts))
FROM waiting_traces
WHERE due_ms > {now_ms:Int64}

-- name: wait
-- What waits of this part. A trace that goes on for hours is read whole each time: the longer it is,
-- the longer it rests.
INSERT INTO next_waiting_traces
SELECT
    trace_id,
    toUnixTimestamp64Milli(max(inserted_at)),
    count() AS known_spans,
    if(known_spans < {long_trace_spans:UInt64}, 0, {now_ms:Int64} + intDiv(1000 * known_spans, {long_trace_spans:UInt64})),
    trace_id IN (SELECT trace_id FROM tick_entries WHERE changed AND NOT settled) AS is_unsettled
FROM tick_spans
GROUP BY trace_id
HAVING is_unsettled OR known_spans >= {long_trace_spans:UInt64}

-- name: waiting
SELECT count() AS all, countIf(must) AS traces, minIf(inserted_ms, must) AS oldest_ms FROM next_waiting_traces

-- name: keep_waiting_traces
INSERT INTO waiting_traces SELECT * FROM next_waiting_traces

-- name: keep_seen_inserts
INSERT INTO seen_inserts SELECT trace_id, mark FROM new_inserts

-- name: trace_of_number
SELECT lower(hex(trace_id)) AS trace FROM touched_traces WHERE number = {number:UInt64}

-- name: read_watermark
SELECT toUnixTimestamp64Milli(watermark) AS watermark_ms, generation
FROM watermarks FINAL
WHERE name = {name:String}

-- name: write_watermark
INSERT INTO watermarks
SELECT {name:String}, fromUnixTimestamp64Milli({watermark_ms:Int64}, 'UTC'), {generation:UInt64}

-- name: first_span
SELECT toUnixTimestamp64Milli(min(inserted_at)) AS first_ms, count() AS spans FROM spans
