"""`hotspan rules test`: a rule runs over stored history, and nothing is published."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotspan_collector.evaluation import Evaluation
from hotspan_collector.health import EvaluatorHealth
from hotspan_collector.rules.rulebook import Rulebook
from hotspan_collector.settings import Settings
from hotspan_collector.store.port import SpanStore
from support.api_server import serve_api
from support.shop_traces import order_list

from .conftest import Run

RULE = """/*
id = "many_queries"
title = "Many queries"
finds = "Entries with many queries."
why = "Each waits for the database."
needs = []
opens_at_once = true
critical_hits_per_hour = 0
summary = "{count} queries"

[settings.max_queries]
type = "UInt32"
default = 15
unit = "queries"
reason = "Enough."

[suggestions]
only = "Make fewer in {entry}."
*/
SELECT
    trace_id, entry_span_id, '' AS identity, 'warning' AS severity, 'high' AS confidence,
    db_queries AS count, db_time_ns AS wasted_ns, '' AS statement, map('a', 'b') AS details,
    [] AS missing, [entry_span_id] AS span_ids, 'only' AS suggestion,
    '' AS code_file, 0 AS code_line, '' AS code_function
FROM rule_entries
WHERE db_queries > {max_queries:UInt32}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "drafts").mkdir()
    (tmp_path / "drafts" / "many_queries.sql").write_text(RULE)
    return tmp_path


@pytest.fixture
def collector_url(store: SpanStore, folder: Path) -> Iterator[str]:
    """A collector's evaluator and API over a store with three order lists, one of them long."""
    for queries in (10, 20, 30):
        order_list(store, queries=queries)
    settings = Settings(settle_s=0, settle_incomplete_s=0, rules_dir=folder, windows_every_s=3600)
    rulebook = Rulebook(values={}, disabled=(), folder=folder)
    evaluation = Evaluation(store, rulebook=rulebook, settings=settings, health=EvaluatorHealth())
    evaluation.run()
    stopping = threading.Event()

    def evaluate() -> None:
        while not stopping.wait(0.05):
            evaluation.run()

    thread = threading.Thread(target=evaluate)
    thread.start()
    try:
        with serve_api(store, settings=settings, trials=evaluation.trials) as url:
            yield url
    finally:
        stopping.set()
        thread.join()


def test_a_draft_finds_in_what_is_stored(hotspan: Run, store, folder: Path, collector_url: str):
    """Its findings are shown; no violation and no finding comes of them, and it is not in force."""
    path = folder / "drafts" / "many_queries.sql"
    table = hotspan("rules", "test", str(path), "--api-url", collector_url)
    told = json.loads(
        hotspan("rules", "test", str(path), "--format", "json", "--api-url", collector_url).stdout
    )
    published = store.rows("SELECT count() AS n FROM findings WHERE rule = 'many_queries'")

    assert table.returncode == 0, table.stderr
    assert "2 findings in 3 entries" in table.stdout
    assert (told["found"], told["entries"], told["entries_done"]) == (2, 3, 3)
    assert [each["summary"] for each in told["findings"]] == ["30 queries", "20 queries"]
    assert told["findings"][0]["suggestion"] == "Make fewer in GET orders/."
    assert published == [{"n": 0}]


def test_a_draft_about_windows_looks_back(hotspan: Run, folder: Path, collector_url: str):
    """Over its own window, up to now."""
    window = RULE.replace("title =", 'kind = "window"\ntitle =', 1)
    window = window.replace("[settings.max_queries]", _WINDOW + "[settings.max_queries]")
    window = window.replace("FROM rule_entries\nWHERE", "FROM current_entries\nWHERE " + _SINCE)
    path = folder / "drafts" / "windows.sql"
    path.write_text(window.replace("many_queries", "windows"))

    ran = hotspan("rules", "test", str(path), "--format", "json", "--api-url", collector_url)

    assert json.loads(ran.stdout)["found"] == 2, ran.stderr


_WINDOW = """[settings.window_minutes]
type = "Float64"
default = 60
unit = "minutes"
reason = "An hour."

"""
_SINCE = "start_time >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC') AND "


@pytest.mark.slow
def test_what_is_wrong_is_said(hotspan: Run, folder: Path, collector_url: str, tmp_path_factory):
    """By the file's own line, by the store's words; and no file from elsewhere runs."""
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "many_queries.sql"
    elsewhere.write_text(RULE)
    (folder / "drafts" / "bad.sql").write_text(RULE.replace("why =", "why", 1))
    (folder / "drafts" / "ill.sql").write_text(RULE.replace("db_queries >", "no_such >"))
    said = {
        name: hotspan("rules", "test", str(path), "--api-url", collector_url)
        for name, path in {
            "bad": folder / "drafts" / "bad.sql",
            "ill": folder / "drafts" / "ill.sql",
            "gone": folder / "drafts" / "gone.sql",
            "elsewhere": elsewhere,
        }.items()
    }

    assert {name: ran.returncode for name, ran in said.items()} == {
        "bad": 2,
        "ill": 1,
        "gone": 1,
        "elsewhere": 2,
    }
    assert f"{folder}/drafts/bad.sql:5: is not a rule" in said["bad"].stderr
    assert "no_such" in said["ill"].stderr
    assert "There is no file" in said["gone"].stderr
    assert f"put it into {folder}/drafts/" in said["elsewhere"].stderr
