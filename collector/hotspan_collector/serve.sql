-- name: count_spans
-- From the tables' metadata: nothing is read.
SELECT count() AS spans FROM spans
