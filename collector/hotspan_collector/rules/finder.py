"""Runs structural rules over the entries of a tick."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING

import structlog

from hotspan_collector.errors import StoreOverloadedError, StoreRefusedError
from hotspan_collector.rules.gates import Gate, Gates
from hotspan_collector.rules.scopes import variants
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hotspan_collector.database import Database
    from hotspan_collector.rules.rule import Rule
    from hotspan_collector.rules.scratch import Scratch

__all__ = ["INPUTS", "find", "run_rule"]

_LOG = structlog.get_logger(__name__)

INPUTS = {
    name: statement
    for filename in sorted(each.name for each in files(__package__).joinpath("inputs").iterdir())
    for name, statement in load_blocks(__package__ or "", f"inputs/{filename}").items()
}
"""What several rules read besides spans and entries: made once a tick, by the blocks `create_…` and
`fill_…` of the files in inputs/."""
_FIND = load_blocks(__package__ or "", "evaluate.sql")["find"]
# A block may begin with what must be there for it to find anything.
_WHEN = re.compile(r"\A-- when: (.+)$", re.MULTILINE)


def find(database: Database, scratch: Scratch, rules: Mapping[str, Rule]) -> dict[str, str]:
    """Run rules over `rule_spans` and `rule_entries`; what they find stands in `rule_found`.

    Args:
        database: holds the tables.
        scratch: knows which of them hold anything.
        rules: those over windows are left out.

    Returns:
        What failed, rules and inputs, and why. What fails harms no other.

    """
    gates = Gates(database, is_empty=scratch.is_empty)
    chosen, failed = _variants(database, rules)
    inputs = {
        name: (statement, Gate(source=when[1] if (when := _WHEN.match(statement)) else ""))
        for name, statement in INPUTS.items()
        if name.startswith("fill_")
    }
    asked = [Gate(source=each.when, parameters=each.values) for each in chosen]
    # Inputs are filled meanwhile, and are asked when that is done.
    gates.ask(
        gate
        for gate in (*(gate for _, gate in inputs.values()), *asked)
        if gate.table in {"rule_spans", "rule_entries"}
    )
    for name, (statement, gate) in inputs.items():
        try:
            if gates.is_open(gate):
                scratch.execute(statement)
        except (StoreRefusedError, StoreOverloadedError) as error:
            _LOG.exception("rule_input_failed", block=name)
            failed[name] = str(error)
    gates.ask(asked)
    for each, gate in zip(chosen, asked, strict=True):
        try:
            if each.id not in failed and gates.is_open(gate):
                run_rule(scratch, each, each.values)
        except (StoreRefusedError, StoreOverloadedError) as error:
            _LOG.exception("rule_failed", rule=each.id)
            failed[each.id] = str(error)
    return failed


def run_rule(scratch: Scratch, rule: Rule, parameters: Mapping[str, object]) -> None:
    """Put what a rule finds into `rule_found`."""
    scratch.execute(
        _FIND.replace("{rule_sql}", rule.sql),
        {**parameters, "rule": rule.id, "about": rule.about},
    )


def _variants(
    database: Database, rules: Mapping[str, Rule]
) -> tuple[Sequence[Rule], dict[str, str]]:
    """Return each structural rule once for each set of values in force, and those that failed."""
    chosen: list[Rule] = []
    failed: dict[str, str] = {}
    for rule in rules.values():
        if rule.kind != "structural":
            continue
        try:
            chosen.extend(variants(database, rule, entries="rule_entries"))
        except (StoreRefusedError, StoreOverloadedError) as error:
            _LOG.exception("rule_failed", rule=rule.id)
            failed[rule.id] = str(error)
    return chosen, failed
