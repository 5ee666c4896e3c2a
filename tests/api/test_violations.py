"""Violations and their evidence."""

import httpx

from hotspan_collector.api.models import ViolationDetail, Violations
from hotspan_collector.store.port import SpanStore
from support.api_server import serve_api
from support.shop_traces import evaluate, failing_task, new_trace_id, order_list

from .conftest import client


def listed(api: httpx.Client, **query) -> list[tuple[str, str]]:
    answer = api.get("/violations", params=query)
    found = Violations.model_validate_json(answer.content).violations
    return [(each.rule, each.environment) for each in found]


def test_a_violation_says_what_where_and_what_to_change(api: httpx.Client, store: SpanStore):
    """One line of the list is enough to start mending."""
    order_list(store, queries=20, ago_ms=7_000)
    order_list(store, queries=24, version="1.1.0")
    evaluate(store)

    answer = api.get("/violations").json()
    (found,) = answer["violations"]

    expected = {
        "rule": "n_plus_one",
        "title": "N+1 queries",
        "severity": "warning",
        "confidence": "medium",
        "status": "open",
        "service": "shop",
        "environment": "production",
        "entry": "GET orders/",
        "entry_kind": "web",
        "hits": 2,
        "entries": 2,
        "count": 24,
        "wasted_ms": 168.0,
        "lost_seconds_per_day": 0.336,
        "first_release": "1.0.0",
        "last_release": "1.1.0",
        "code": {"file": "/app/shop/views.py", "line": 42, "function": "order_list"},
    }
    assert expected == {name: found[name] for name in expected}
    assert "24 times" in found["summary"]
    assert "select_related" in found["suggestion"]
    assert answer["total"] == 1


def test_entries_are_counted_since_the_first_hit(api: httpx.Client, store: SpanStore):
    """Of its own route, service and environment, each violation from its own first hit on."""
    order_list(store, queries=1, ago_ms=60_000)
    order_list(store, ago_ms=50_000)
    order_list(store, queries=1, ago_ms=40_000)
    order_list(store, ago_ms=30_000, environment="staging")
    order_list(store, queries=1, ago_ms=20_000, environment="staging")
    order_list(store, queries=1, ago_ms=10_000, environment="staging")
    failing_task(store)
    evaluate(store)

    found = api.get("/violations").json()["violations"]
    alone = [api.get(f"/violations/{each['id']}").json() for each in found]

    counted = {
        (each["rule"], each["environment"]): (each["hits"], each["entries"]) for each in found
    }
    assert counted == {
        ("n_plus_one", "production"): (1, 2),
        ("n_plus_one", "staging"): (1, 3),
        ("task_failure", "production"): (1, 1),
    }
    assert [each["entries"] for each in found] == [each["entries"] for each in alone]


def test_evidence_is_told_however_long_ago_it_was(api: httpx.Client, store: SpanStore):
    """On one page stand violations that were last hit at quite different times."""
    hour_ms = 3_600_000
    traces = {
        order_list(store, ago_ms=ago_ms, environment=environment)
        for ago_ms, environment in (
            (20 * hour_ms, "staging"),
            (hour_ms, "testing"),
            (5_000, "live"),
        )
    }
    evaluate(store)

    found = api.get("/violations").json()["violations"]
    alone = [api.get(f"/violations/{each['id']}").json() for each in found]

    assert [each["code"]["line"] for each in found] == [42, 42, 42]
    assert {each["evidence_trace_id"] for each in alone} == traces


def test_the_worst_come_first(api: httpx.Client, store: SpanStore):
    """Violations are ranked by the seconds they lose a day, and counted in full."""
    for environment, queries in (("staging", 10), ("production", 40), ("testing", 20)):
        order_list(store, queries=queries, environment=environment)
    evaluate(store)

    answer = api.get("/violations", params={"limit": 2, "offset": 1}).json()

    beyond = api.get("/violations", params={"offset": 99}).json()

    assert [each["environment"] for each in answer["violations"]] == ["testing", "staging"]
    assert (answer["total"], beyond) == (3, {"violations": [], "total": 3})


_FILTERS = [
    ({"service": "shop"}, 2),
    ({"service": "other"}, 0),
    ({"environment": "production"}, 2),
    ({"rule": "task_failure"}, 1),
    ({"severity": "warning"}, 2),
    ({"severity": "critical"}, 0),
    ({"status": "open"}, 2),
    ({"status": "active"}, 2),
    ({"status": "all"}, 2),
    ({"status": "verified_fixed"}, 0),
]


def test_violations_are_filtered(api: httpx.Client, store: SpanStore):
    """Every filter leaves the violations that match it."""
    order_list(store)
    failing_task(store)
    evaluate(store)

    found = [(query, len(listed(api, **query))) for query, _ in _FILTERS]

    assert found == _FILTERS


def test_what_is_not_hit_often_enough_is_no_violation_yet(api: httpx.Client, store: SpanStore):
    """A single hit of a rule that waits for three opens nothing."""
    order_list(store)
    evaluate(store, open_after_hits=3)

    assert listed(api) == []


def test_a_violation_has_evidence_and_occurrences(api: httpx.Client, store: SpanStore):
    """The newest entry is the evidence; others are listed, newest first."""
    older = order_list(store, queries=20, ago_ms=7_000)
    newer = order_list(store, queries=30)
    evaluate(store)
    fingerprint = api.get("/violations").json()["violations"][0]["id"]

    answer = api.get(f"/violations/{fingerprint}")
    found = ViolationDetail.model_validate_json(answer.content)

    assert found.evidence_trace_id == newer
    assert found.evidence_entry_span_id == "0000000000000001"
    assert found.evidence.span_ids[:2] == ["0000000000000002", "0000000000000003"]
    assert found.evidence.details["queries"] == 30
    assert "hotspan.db.param_hash" in found.evidence.missing_attributes
    assert [(each.trace_id, each.count) for each in found.occurrences] == [(newer, 30), (older, 20)]
    assert found.rule_info.settings[0].value == 5


def test_a_finding_that_a_later_evaluation_did_not_make_is_no_occurrence(
    api: httpx.Client, store: SpanStore
):
    """Late spans may show that a finding was none: it counts no more."""
    trace_id = new_trace_id()
    order_list(store, queries=20, trace_id=trace_id)
    order_list(store, queries=20)
    evaluate(store)
    fingerprint = api.get("/violations").json()["violations"][0]["id"]
    store.execute(
        "INSERT INTO entries SELECT * REPLACE (generation + 1 AS generation) FROM entries "
        "WHERE trace_id = unhex({trace_id:String})",
        {"trace_id": trace_id},
    )

    found = api.get(f"/violations/{fingerprint}").json()

    assert trace_id not in [each["trace_id"] for each in found["occurrences"]]
    assert len(found["occurrences"]) == 1
    assert api.get(f"/traces/{trace_id}").json()["findings"] == []


def test_a_violation_outlives_its_rule(store: SpanStore):
    """What a rule found stays readable when the rule is disabled."""
    order_list(store)
    evaluate(store)
    with serve_api(store, disabled_rules=["n_plus_one"]) as url, client(url) as api:
        (found,) = api.get("/violations").json()["violations"]
        detail = api.get(f"/violations/{found['id']}").json()

    assert (found["title"], found["suggestion"]) == ("n_plus_one", "")
    assert "does not run" in detail["rule_info"]["finds"]


def test_a_violation_outlives_its_findings(api: httpx.Client, store: SpanStore):
    """When its findings are older than the retention, the violation is still told."""
    order_list(store)
    evaluate(store)
    store.execute("TRUNCATE TABLE findings")
    (found,) = api.get("/violations").json()["violations"]

    detail = api.get(f"/violations/{found['id']}").json()

    assert (detail["evidence"]["span_ids"], detail["evidence_trace_id"]) == ([], "")
    assert detail["code"] is None


def test_an_unknown_violation_is_not_found(api: httpx.Client):
    """The answer says where the known ones are."""
    answer = api.get("/violations/v1:nothing")

    assert answer.status_code == 404
    assert "/api/v1/violations" in answer.json()["message"]
