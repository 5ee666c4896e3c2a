-- unless: SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'pinned_spans' AND name = 'scope'
-- Spans that are kept as evidence have the columns of `spans`.
CREATE OR REPLACE TABLE pinned_spans_alike AS spans
ENGINE = ReplacingMergeTree
ORDER BY (trace_id, span_id);

INSERT INTO pinned_spans_alike
SELECT
    * EXCEPT (resource_types, scope_version) REPLACE (
        toLowCardinality(toString((arrayMap(i -> (mapKeys(resource)[i], mapValues(resource)[i], resource_types[i]), range(1, length(resource) + 1)), 0))) AS resource,
        toLowCardinality(toString((scope_name, scope_version, [], 0))) AS scope_name)
FROM pinned_spans
SETTINGS max_execution_time = 0, max_partitions_per_insert_block = 0;

EXCHANGE TABLES pinned_spans AND pinned_spans_alike;

DROP TABLE pinned_spans_alike;
