"""How cases of rules over windows are written down, and run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from hotspan_collector.database import Database
from support.window_entries import Entry, find, store_entries


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is stored, and what is found of it: identity and severity of each finding."""

    name: str
    entries: Sequence[Entry]
    found: Sequence[tuple[str, str]] = ()
    settings: dict[str, object] = field(default_factory=dict)


def parametrize(*cases: Case) -> Callable:
    """Run a test with each case."""
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])


def found_in(database: Database, rule_id: str, case: Case) -> list[tuple[str, str]]:
    """Return what a rule finds in a case."""
    store_entries(database, case.entries)
    return [(each.identity, each.severity) for each in find(database, rule_id, **case.settings)]
