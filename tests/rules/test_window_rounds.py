"""Rounds of the rules over windows: what opens and ends a violation, and what fails."""

import time
from dataclasses import replace

import pytest

from hotspan_collector.rules.catalogue import Catalogue, Rule
from hotspan_collector.rules.lifecycle import Change
from hotspan_collector.rules.scratch import Scratch
from hotspan_collector.rules.violations import Violations
from hotspan_collector.rules.windows import TABLES, Windows
from support.window_entries import RULES, Entry, spread, store_entries

LATENCY = RULES["latency_budget"]
PATIENT = replace(LATENCY, values={**LATENCY.values, "p95_ms": 9e9, "p99_ms": 9e9, "mean_ms": 9e9})
BROKEN = replace(LATENCY, id="broken", sql="SELECT no_such_column FROM current_entries")


def run(database, *rules: Rule) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Run a round; return what it tells of each rule, and what failed."""
    catalogue = Catalogue({rule.id: rule for rule in rules})
    violations = Violations(database, catalogue=catalogue, open_after_hits=3)
    windows = Windows(
        database,
        catalogue=catalogue,
        violations=violations,
        scratch=Scratch(database, TABLES),
    )
    now_ms = time.time_ns() // 1_000_000
    changes, failed = windows.run(now_ms=now_ms, generation=now_ms)
    return [told(change) for change in changes], dict(failed)


def told(change: Change) -> tuple[str, str]:
    return change.violation.rule, change.event


def test_a_violation_follows_its_condition(embedded_store):
    """It opens at once, is told once, ends when it holds no more, and opens again when it does."""
    store_entries(embedded_store, spread(Entry(duration_ms=300), 100))
    rounds = [LATENCY, LATENCY, PATIENT, PATIENT, LATENCY]

    assert [run(embedded_store, rule)[0] for rule in rounds] == [
        [("latency_budget", "opened")],
        [],
        [("latency_budget", "resolved")],
        [],
        [("latency_budget", "opened")],
    ]


def test_a_rule_that_fails_harms_no_other(embedded_store):
    """The others run, and what fails is named with the reason."""
    store_entries(embedded_store, spread(Entry(duration_ms=300), 100))
    changes, failed = run(embedded_store, BROKEN, LATENCY)

    assert changes == [("latency_budget", "opened")]
    assert "no_such_column" in failed["broken"]


def test_a_failure_is_no_end(embedded_store):
    """A rule that could not look has not found that all is well."""
    store_entries(embedded_store, spread(Entry(duration_ms=300), 100))
    run(embedded_store, LATENCY)

    assert run(embedded_store, replace(BROKEN, id="latency_budget"))[0] == []


def test_the_same_again_is_one_hit(embedded_store):
    """However often a round finds it on the same entry."""
    store_entries(embedded_store, spread(Entry(duration_ms=300), 100))
    for _ in range(3):
        run(embedded_store, LATENCY)

    assert embedded_store.rows("SELECT hits FROM violations FINAL") == [{"hits": 1}]


@pytest.mark.parametrize(
    ("window_minutes", "later_ms", "runs"),
    [(60, 1_000, 2), (1440, 60_000, 1), (1440, 480_000, 2)],
)
def test_long_windows_rest(embedded_store, window_minutes, later_ms, runs):
    """What looks back over a day does not do so twice a minute."""
    values = {**LATENCY.values, "window_minutes": window_minutes}
    catalogue = Catalogue({"latency_budget": replace(LATENCY, values=values)})
    violations = Violations(embedded_store, catalogue=catalogue, open_after_hits=1)
    windows = Windows(
        embedded_store,
        catalogue=catalogue,
        violations=violations,
        scratch=Scratch(embedded_store, TABLES),
    )
    store_entries(embedded_store, spread(Entry(duration_ms=300), 100))
    now_ms = time.time_ns() // 1_000_000
    windows.run(now_ms=now_ms, generation=1)
    embedded_store.execute("TRUNCATE TABLE findings")
    windows.run(now_ms=now_ms + later_ms, generation=2)

    assert embedded_store.rows("SELECT count() + 1 AS runs FROM findings") == [{"runs": runs}]


def test_all_rules_over_nothing(embedded_store):
    """An empty store is no error for any rule."""
    rules = [rule for rule in RULES.values() if rule.kind == "window"]

    assert run(embedded_store, *rules) == ([], {})
