"""Stores whose content is evaluated, and told in plain values."""

import functools
from collections.abc import Sequence

from hotspan_collector.database import Database
from hotspan_collector.rules.catalogue import Catalogue, load_catalogue
from hotspan_collector.rules.evaluator import Evaluator, Timing
from hotspan_collector.rules.touched import Bounds

AT_ONCE = Timing(settle_ms=0, settle_incomplete_ms=0, look_back_ms=5_000)

_ENTRIES = """
SELECT
    lower(hex(trace_id)) AS trace, lower(hex(entry_span_id)) AS entry,
    kind, name, service, environment, error, partial, spans, db_queries, db_distinct, http_calls,
    task_state, task_retries
FROM entries FINAL
WHERE NOT deleted
ORDER BY start_time, trace, entry
"""
_FINDINGS = """
SELECT
    rule, trace_id_hex AS trace, entry_span_id_hex AS entry, entry_name, fingerprint, identity,
    toString(severity) AS severity, toString(confidence) AS confidence, count, wasted_ns, statement,
    details, missing, arraySort(span_ids_hex) AS span_ids, suggestion,
    code_file, code_line, code_function
FROM current_findings
ORDER BY rule, trace, entry, identity, code_file, code_line
"""
_VIOLATIONS = """
SELECT fingerprint, rule, status, environment, entry_name, hits, max_count
FROM violations FINAL
ORDER BY fingerprint
"""
_FILLED_TABLES = """
SELECT name FROM system.tables
WHERE database = currentDatabase() AND name != 'schema_migrations' AND total_rows > 0
"""


def empty(database: Database) -> None:
    """Remove all that is stored."""
    for row in database.rows(_FILLED_TABLES):
        database.execute(f"TRUNCATE TABLE {row['name']}")


@functools.cache
def shipped_catalogue() -> Catalogue:
    """Return the rules that come with hotspan, read once: leave them as they are."""
    return load_catalogue()


def new_evaluator(
    database: Database,
    *,
    rules: Sequence[str] = (),
    timing: Timing = AT_ONCE,
    bounds: Bounds | None = None,
) -> Evaluator:
    """Return an evaluator that runs these rules, or all.

    Args:
        database: with the spans.
        rules: ids.
        timing: settles at once unless told otherwise.
        bounds: how much is looked at.
    """
    every = shipped_catalogue().rules
    chosen = {rule_id: rule for rule_id, rule in every.items() if not rules or rule_id in rules}
    return Evaluator(
        database,
        catalogue=Catalogue(chosen),
        timing=timing,
        open_after_hits=1,
        bounds=bounds,
    )


def entries(database: Database) -> list[dict]:
    """Return the entries that count."""
    return [dict(row) for row in database.rows(_ENTRIES)]


def findings(database: Database) -> list[dict]:
    """Return the findings that count."""
    return [dict(row) for row in database.rows(_FINDINGS)]


def violations(database: Database) -> list[dict]:
    """Return the violations."""
    return [dict(row) for row in database.rows(_VIOLATIONS)]
