-- A value that few spans have is found without reading the others. Parts from before get it when they
-- are merged.
ALTER TABLE spans
    ADD INDEX IF NOT EXISTS by_attribute_value mapValues(attributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    ADD INDEX IF NOT EXISTS by_resource_value mapValues(resource) TYPE bloom_filter(0.01) GRANULARITY 1;

-- The findings that count. The same as before, with the columns that have come.
CREATE OR REPLACE VIEW current_findings AS
SELECT
    f.*,
    lower(hex(f.trace_id)) AS trace_id_hex,
    lower(hex(f.entry_span_id)) AS entry_span_id_hex,
    arrayMap(id -> lower(hex(id)), f.span_ids) AS span_ids_hex
FROM findings AS f FINAL
INNER JOIN
(
    SELECT start_time, trace_id, entry_span_id, generation
    FROM entries FINAL
    WHERE deleted = 0
) AS e
ON f.entry_start = e.start_time
    AND f.trace_id = e.trace_id
    AND f.entry_span_id = e.entry_span_id
    AND f.generation = e.generation;

-- Those, and the ones that are pinned: both may be there for a while, so show each once.
CREATE OR REPLACE VIEW known_findings AS
SELECT * FROM current_findings
UNION ALL
SELECT
    * EXCEPT (role, pinned_at),
    lower(hex(trace_id)) AS trace_id_hex,
    lower(hex(entry_span_id)) AS entry_span_id_hex,
    arrayMap(id -> lower(hex(id)), span_ids) AS span_ids_hex
FROM pinned_findings FINAL;
