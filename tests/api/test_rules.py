"""Rules over the API: how they do, and values that are set for a place."""

import httpx
import pytest

from hotspan_collector.evaluation import Evaluation
from hotspan_collector.health import EvaluatorHealth
from hotspan_collector.rules.rulebook import Rulebook
from hotspan_collector.settings import Settings
from hotspan_collector.store.port import SpanStore
from support.api_server import serve_api
from support.shop_traces import order_list

from .conftest import client

SETTINGS = Settings(settle_s=0, settle_incomplete_s=0, windows_every_s=0.001)


def test_how_rules_do_is_told(store: SpanStore):
    """When each ran last, over how much, how long it took, and why it failed."""
    rulebook = Rulebook(values={}, disabled=(), folder=None)
    order_list(store)
    evaluation = Evaluation(store, rulebook=rulebook, settings=SETTINGS, health=EvaluatorHealth())
    evaluation.run()
    with serve_api(store) as url, client(url) as api:
        answer = api.get("/rules").json()
        one = api.get("/rules/n_plus_one").json()

    assert {each["state"] for each in answer["rules"]} == {"ok"}
    assert (one["last_run"]["entries"], one["last_run"]["error"]) == (1, "")
    assert one["last_run"]["duration_ms"] > 0
    assert answer["canary"]["error"] == ""


def test_a_rule_that_has_not_run_says_so(api: httpx.Client):
    """An empty store has nothing to look at."""
    answer = api.get("/rules").json()

    assert {each["state"] for each in answer["rules"]} == {"not_run"}
    assert answer["canary"] is None


def test_values_are_set_for_a_place_and_taken_back(api: httpx.Client, store: SpanStore):
    """The collector's next tick works with them; who set them and why is kept."""
    rulebook = Rulebook(values={}, disabled=(), folder=None)
    body = {
        "values": {"min_count": 20},
        "service": "shop",
        "entry": "GET erp/*",
        "by": "ada",
        "reason": "until it is gone",
    }
    scope = api.post("/rules/n_plus_one/overrides", json=body).json()
    rulebook.refresh(store)
    [known] = rulebook.catalogue.rules["n_plus_one"].scopes
    gone = api.delete(f"/rules/n_plus_one/overrides/{scope['id']}")
    rulebook.refresh(store)

    assert (known.id, known.service, known.entry, known.values, known.by, known.reason) == (
        scope["id"],
        "shop",
        "GET erp/*",
        {"min_count": 20},
        "ada",
        "until it is gone",
    )
    assert gone.status_code == 200
    assert rulebook.catalogue.rules["n_plus_one"].scopes == ()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"values": {}}, "sets nothing"),
        ({"values": {"min_counts": 5}}, "no setting min_counts"),
        ({"values": {"min_count": "many"}}, "expected UInt32"),
        ({"values": {"min_count": -1}}, "expected UInt32"),
        ({"values": {"min_count": 5}, "kind": "mail"}, "web, task, command"),
        ({"values": {"service": "shop"}}, "conditions stand beside them"),
    ],
)
def test_values_that_cannot_be_used_are_named(api: httpx.Client, body, said):
    """Nothing is set."""
    answer = api.post("/rules/n_plus_one/overrides", json=body)

    assert answer.status_code == 400
    assert said in answer.json()["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/rules/n_plus_1"),
        ("POST", "/rules/n_plus_1/overrides"),
        ("DELETE", "/rules/n_plus_one/overrides/nothing"),
    ],
)
def test_what_is_not_there_is_not_found(api: httpx.Client, method, path):
    """The answer says what there is."""
    answer = api.request(method, path, json={"values": {"a": 1}} if method == "POST" else None)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
