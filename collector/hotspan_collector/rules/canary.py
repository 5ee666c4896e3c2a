"""A canary: an entry that is made up, and must be found.

Rules that run and find nothing look like rules that find nothing to complain about. So an entry
with an obvious N+1 is put where rules read, between two ticks; it is never stored. When it is not
found, the engine is ill, whatever the rules' own states say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from hotspan_collector.database import Database
    from hotspan_collector.rules.evaluator import Evaluator
    from hotspan_collector.rules.rule import Rule

__all__ = ["RULE", "why_not_found"]

RULE = "n_plus_one"
"""The rule that must find it."""

_SQL = load_blocks(__package__ or "", "rule_runs.sql")
_TRACE = "hotspan-canary-1"
_ENTRY = "canary-e"
_STATEMENT = 'SELECT "canary"."id" FROM "canary" WHERE "canary"."id" = %s'
_QUERY_NS = 1_000_000


def why_not_found(evaluator: Evaluator, database: Database, rule: Rule) -> str:
    """Run the rules over the canary; return why it was not found, or nothing when it was.

    Args:
        evaluator: of this thread; its next tick begins anew.
        database: that it works on.
        rule: that must find it, with the values in force.

    """
    repetitions = 2 * int(str(rule.values["min_count"]))

    def fill() -> None:
        database.insert_rows("rule_entries", [_entry(repetitions)])
        database.insert_rows("rule_spans", [_root(repetitions), *_queries(repetitions)])

    failed = evaluator.run_over(fill)
    if failed:
        name, reason = next(iter(failed.items()))
        return f"{name} failed: {reason}"
    if not database.rows(_SQL["canary_found"], {"rule": rule.id})[0]["found"]:
        return f"{rule.id} did not find {repetitions} equal queries in one entry."
    return ""


def _entry(repetitions: int) -> dict[str, object]:
    return {
        "trace_id": _TRACE,
        "entry_span_id": _ENTRY,
        "start_time": "2020-01-01 00:00:00",
        "duration_ns": _QUERY_NS * (repetitions + 1),
        "service": "canary",
        "kind": "web",
        "name": "GET canary/",
        "weight": 1,
        "spans": repetitions + 1,
        "db_queries": repetitions,
    }


def _root(repetitions: int) -> dict[str, object]:
    return {
        **_span(_ENTRY, start_ns=0, duration_ns=_QUERY_NS * (repetitions + 1)),
        "is_entry": True,
        "name": "GET canary/",
        "kind": "server",
    }


def _queries(repetitions: int) -> list[dict[str, object]]:
    return [
        {
            **_span(f"q{number:07x}", start_ns=_QUERY_NS * number, duration_ns=_QUERY_NS // 2),
            "parent_span_id": _ENTRY,
            "name": "SELECT",
            "kind": "client",
            "db_system": "postgresql",
            "db_statement": _STATEMENT,
            "db_fingerprint": 1,
            "attributes": {"hotspan.db.param_hash": f"{number + 1:016x}"},
            "is_query": True,
        }
        for number in range(repetitions)
    ]


def _span(span_id: str, *, start_ns: int, duration_ns: int) -> dict[str, object]:
    return {
        "trace_id": _TRACE,
        "span_id": span_id,
        "entry_span_id": _ENTRY,
        "entry_kind": "web",
        "entry_name": "GET canary/",
        "service": "canary",
        "start_ns": start_ns,
        "end_ns": start_ns + duration_ns,
        "duration_ns": duration_ns,
    }
