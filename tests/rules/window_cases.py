"""How cases of rules over windows are written down, and run: all of a rule at once."""

import functools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from support.embedded import emptied_store
from support.window_entries import (
    Entry,
    Publication,
    find,
    store_entries,
    store_publications,
    store_statement,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is stored, and what is found of it: identity and severity of each finding."""

    name: str
    entries: Sequence[Entry]
    publications: Sequence[Publication] = ()
    found: Sequence[tuple[str, str]] = ()
    settings: dict[str, object] = field(default_factory=dict)


CASES: dict[str, Sequence[Case]] = {}
_STATEMENTS: dict[str, Mapping[int, str]] = {}


def parametrize(
    rule_id: str, *cases: Case, statements: Mapping[int, str] | None = None
) -> Callable:
    """Run a test with each case of a rule; `statements` are the texts by fingerprint."""
    CASES[rule_id] = cases
    _STATEMENTS[rule_id] = statements or {}
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])


def found_in(rule_id: str, case: Case) -> list[tuple[str, str]]:
    """Return what a rule finds in a case."""
    return _found_in_all(rule_id)[case.name]


@functools.cache
def _found_in_all(rule_id: str) -> Mapping[str, list[tuple[str, str]]]:
    """Evaluate the cases of a rule, those with the same settings together."""
    found: dict[str, list[tuple[str, str]]] = {case.name: [] for case in CASES[rule_id]}
    by_settings: dict[str, list[Case]] = defaultdict(list)
    for case in CASES[rule_id]:
        by_settings[repr(case.settings)].append(case)
    for cases in by_settings.values():
        store = emptied_store()
        for fingerprint, text in _STATEMENTS[rule_id].items():
            store_statement(store, fingerprint, text)
        apart = [_apart(case, number) for number, case in enumerate(cases)]
        store_entries(store, [entry for case in apart for entry in case.entries])
        store_publications(store, [each for case in apart for each in case.publications])
        for each in find(store, rule_id, **cases[0].settings):
            name = cases[int(each.environment.partition(" ")[0])].name
            found[name].append((each.identity, each.severity))
    return found


def _apart(case: Case, number: int) -> Case:
    """Return a case in environments of its own: rules do not look across these."""

    def moved(entry: Entry) -> Entry:
        return replace(
            entry,
            environment=f"{number} {entry.environment}",
            trace_id=entry.trace_id and f"{number + 1:08x}{entry.trace_id[8:]}",
            message_id=entry.message_id and f"{number} {entry.message_id}",
        )

    return replace(
        case,
        entries=[moved(entry) for entry in case.entries],
        publications=[
            replace(
                each,
                environment=f"{number} {each.environment}",
                message_id=f"{number} {each.message_id}",
                by=each.by and moved(each.by),
            )
            for each in case.publications
        ],
    )
