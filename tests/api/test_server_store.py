"""The API over a real ClickHouse server: the same answers as over the embedded store."""

from dataclasses import replace
from pathlib import Path

from hotspan_collector.alerts import outbox
from hotspan_collector.rules.catalogue import load_catalogue
from hotspan_collector.rules.violation import Change
from hotspan_collector.rules.violation_table import ViolationTable
from hotspan_collector.settings import Settings
from hotspan_collector.store import open_store
from support.api_server import serve_api
from support.shop_traces import evaluate, failing_task, order_list

from .conftest import client

_LONG = "SELECT ё" * 400


def test_a_server_answers_as_the_embedded_store_does(clickhouse_url: str, tmp_path: Path):
    """Search, trace, span, services, violations and the outbox work over HTTP."""
    store = open_store(Settings(store=clickhouse_url, data_dir=tmp_path))
    trace_id = order_list(store, queries=20)
    failing_task(store)
    changes = evaluate(store).changes
    outbox.announce(store, catalogue=load_catalogue(), changes=changes, ui_url="http://ui")
    with serve_api(store) as url, client(url) as api:
        query = {"attribute": ["http.route=orders/", "db.system.name=sqlite"], "since": "1h"}
        (found,) = api.get("/traces", params=query).json()["traces"]
        trace = api.get(f"/traces/{trace_id}").json()
        span = api.get(f"/traces/{trace_id}/spans/{2:016x}").json()
        services = api.get("/services").json()["services"]
        listed = api.get("/violations").json()["violations"]
        detail = api.get(f"/violations/{listed[0]['id']}").json()
    alerts = outbox.due(store, limit=10)
    store.close()

    assert (found["trace_id"], found["findings"]) == (trace_id, 1)
    assert (trace["total_spans"], len(trace["spans"])) == (21, 21)
    assert span["attributes"]["code.line.number"] == 42
    assert [(each["name"], each["entries"]) for each in services] == [("shop", 2)]
    assert [each["rule"] for each in listed] == ["n_plus_one", "task_failure"]
    assert detail["evidence_trace_id"] == trace_id
    assert len(detail["occurrences"]) == 1
    assert sorted(each.event for each in alerts) == ["opened", "opened"]


def test_a_server_takes_many_violations_with_long_texts(clickhouse_url: str, tmp_path: Path):
    """Several megabytes at once, which no parameter of a request could hold, arrive as written."""
    store = open_store(Settings(store=clickhouse_url, data_dir=tmp_path))
    order_list(store)
    (change,) = evaluate(store).changes
    rows = [
        replace(
            change.violation,
            fingerprint=f"v1:{number:032x}",
            entry_name=f"{_LONG} {number}",
            reason="quote ' backslash \\ tab \t line \n end",
            opened_at_ms=number or None,
        )
        for number in range(1_200)
    ]
    table = ViolationTable(store)
    table.write(rows, [Change("opened", row) for row in rows], now_ms=change.violation.last_seen_ms)
    known = table.known(row.fingerprint for row in rows)
    changes = store.rows("SELECT count() AS changes FROM violation_changes FINAL")
    store.close()

    assert [known[row.fingerprint] for row in rows] == rows
    assert changes == [{"changes": 1 + len(rows)}]
