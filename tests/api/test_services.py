"""Services and what enters them."""

import httpx

from hotspan_collector.store.port import SpanStore
from support.shop_traces import evaluate, failing_task, order_list


def test_services_are_told_by_environment(api: httpx.Client, store: SpanStore):
    """The same service in two environments is two lines; releases stand newest first."""
    order_list(store, version="1.0.0", ago_ms=9_000)
    order_list(store, version="1.1.0", ago_ms=6_000)
    order_list(store, version="1.0.0", ago_ms=3_000)
    order_list(store, environment="staging")
    evaluate(store)

    found = api.get("/services").json()["services"]

    assert [
        (each["name"], each["environment"], each["entries"], each["versions"]) for each in found
    ] == [
        ("shop", "production", 3, ["1.1.0", "1.0.0"]),
        ("shop", "staging", 1, ["1.0.0"]),
    ]
    assert (found[0]["p50_ms"], found[0]["errors"]) == (250.0, 0)


def test_entries_are_grouped_by_route_and_task(api: httpx.Client, store: SpanStore):
    """Those that took most time together come first."""
    order_list(store, queries=10)
    order_list(store, queries=30)
    failing_task(store)
    evaluate(store)

    found = api.get("/entries", params={"service": "shop"}).json()["entries"]

    assert [(each["kind"], each["name"], each["entries"], each["errors"]) for each in found] == [
        ("web", "GET orders/", 2, 0),
        ("task", "shop.tasks.book", 1, 1),
    ]
    assert found[0]["queries_mean"] == 20


def test_an_empty_store_has_no_services(api: httpx.Client):
    """Nothing is no error."""
    answers = [api.get("/services").json(), api.get("/entries").json()]

    assert answers == [{"services": []}, {"entries": []}]
