"""How rules do: those that fail harm no other and are seen, and a canary must be found."""

from dataclasses import replace
from pathlib import Path

import pytest

from hotspan_collector.evaluation import Evaluation
from hotspan_collector.health import EvaluatorHealth
from hotspan_collector.rules.rulebook import Rulebook
from hotspan_collector.settings import Settings
from hotspan_collector.store.port import SpanStore
from support.embedded import embedded_store  # noqa: F401 (a fixture)
from support.shop_traces import order_list

RULE = """/*
id = "broken"
title = "Broken"
finds = "Nothing."
why = "It reads a column that is not there."
needs = []
opens_at_once = true
critical_hits_per_hour = 0
summary = "nothing"
[suggestions]
only = "Nothing."
*/
SELECT no_such_column, * FROM rule_entries
"""
SETTINGS = Settings(settle_s=0, settle_incomplete_s=0, windows_every_s=0.001, canary_every_s=0.001)


class Running:
    """An evaluation as the collector runs it."""

    def __init__(self, store: SpanStore, *, folder: Path | None = None, **values: object) -> None:
        self.store = store
        self.health = EvaluatorHealth()
        self.rulebook = Rulebook(values=values, disabled=["query_budget"], folder=folder)
        self.evaluation = Evaluation(
            store, rulebook=self.rulebook, settings=SETTINGS, health=self.health
        )

    def run(self) -> dict[str, dict]:
        self.evaluation.run()
        assert self.health.last_error == ""
        rows = self.store.rows("SELECT * FROM rule_runs FINAL")
        return {row["rule"]: row for row in rows}

    @property
    def found(self) -> list[str]:
        rows = self.store.rows("SELECT DISTINCT rule FROM current_findings ORDER BY rule")
        return [row["rule"] for row in rows]


@pytest.fixture
def store(embedded_store: SpanStore) -> SpanStore:  # noqa: F811 (a fixture)
    order_list(embedded_store)
    return embedded_store


def test_a_rule_that_fails_is_seen_and_harms_no_other(store: SpanStore, tmp_path: Path):
    """Its error, and how often it failed, stand beside how the others did."""
    (tmp_path / "broken.sql").write_text(RULE)
    running = Running(store, folder=tmp_path)
    runs = running.run()

    assert running.found == ["n_plus_one"]
    assert "no_such_column" in runs["broken"]["error"]
    assert (runs["broken"]["failures"], runs["broken"]["entries"]) == (1, 1)
    assert (runs["n_plus_one"]["error"], runs["n_plus_one"]["entries"]) == ("", 1)
    assert runs["n_plus_one"]["duration_ms"] > 0
    assert set(running.health.rule_failures()) == {"broken", "(canary)"}


def test_the_canary_is_found_and_never_stored(store: SpanStore):
    """It is made up: no violation, no entry, no span of it."""
    runs = Running(store).run()

    assert (runs["(canary)"]["error"], runs["(canary)"]["entries"]) == ("", 1)
    for table in ("entries", "findings", "violations", "spans"):
        assert store.rows(f"SELECT count() AS n FROM {table} WHERE service = 'canary'") == [
            {"n": 0}
        ]


def test_a_high_threshold_is_no_illness(store: SpanStore):
    """The canary repeats more often than the rule asks for."""
    runs = Running(store, n_plus_one={"min_count": 300}).run()

    assert runs["(canary)"]["error"] == ""


def test_a_rule_that_finds_nothing_where_it_must_is_told(store: SpanStore):
    """It runs without an error, and still it is ill."""
    running = Running(store)
    running.run()
    rules = dict(running.rulebook.catalogue.rules)
    rule = rules["n_plus_one"]
    rules["n_plus_one"] = replace(rule, sql=f"SELECT * FROM ({rule.sql}) WHERE 0")
    running.rulebook.catalogue.rules = rules
    running.evaluation._evaluator = None

    assert "did not find" in running.run()["(canary)"]["error"]


@pytest.mark.slow
def test_rules_are_read_again_while_running(store: SpanStore, tmp_path: Path):
    """What is wrong is told, and what runs goes on; what is mended runs."""
    running = Running(store, folder=tmp_path)
    before = set(running.run())
    (tmp_path / "broken.sql").write_text(RULE.replace("why", "why?"))
    running.rulebook.read_again()
    running.run()
    problems = running.rulebook.catalogue.problems
    (tmp_path / "broken.sql").write_text(RULE)
    running.rulebook.read_again()
    order_list(store)
    after = set(running.run())

    assert "n_plus_one" in before
    assert [each.partition(": ")[0] for each in problems] == [f"{tmp_path}/broken.sql:5"]
    assert after - before == {"broken"}
    assert running.rulebook.catalogue.problems == ()


@pytest.mark.slow
def test_an_override_is_taken_up_while_running(store: SpanStore):
    """It was set over the API; the next tick works with it."""
    running = Running(store)
    running.run()
    override = {
        "id": "o1",
        "rule": "n_plus_one",
        "scope": '{"service": "shop", "min_count": 99}',
        "by": "ada",
        "reason": "",
        "set_at": "2026-11-22 10:00:00.000",
        "deleted": False,
    }
    store.insert_rows("rule_overrides", [override])
    order_list(store, environment="staging")
    running.run()
    scope = running.rulebook.catalogue.rules["n_plus_one"].scopes[0]
    rows = store.rows("SELECT environment FROM current_findings WHERE rule = 'n_plus_one'")

    assert (scope.id, scope.by, scope.values) == ("o1", "ada", {"min_count": 99})
    assert [row["environment"] for row in rows] == ["production"]
