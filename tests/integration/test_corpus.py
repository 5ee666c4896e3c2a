"""Recorded requests of stock-instrumented processes: which entries and findings they make."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from hotspan_collector.store.port import SpanStore
from support import corpus
from support.collector import EMBEDDED_FIRST
from support.evaluations import empty, entries, findings, new_evaluator

WEB = "gunicorn-prefork-pg-default__"
TASK = "celery-prefork-pg-default__"
RULES = (
    "n_plus_one",
    "n_plus_one_http",
    "slow_external_call",
    "task_failure",
    "task_retries_exhausted",
    "task_timeout",
)
PUBLISHER = ("web", "GET enqueue/<str:name>", False, 4)

# The entries of each scenario: kind, name, failed, spans.
ENTRIES = {
    f"{WEB}orders": [("web", "GET orders/", False, 43)],
    f"{WEB}orders-fixed": [("web", "GET orders/fixed/", False, 4)],
    f"{WEB}notify-slow": [("web", "GET notify", False, 2)],
    f"{WEB}notify-timeout": [("web", "GET notify", True, 2)],
    f"{WEB}notfound": [("web", "GET", False, 1)],
    f"{WEB}notfound-obj": [("web", "GET orders/<int:pk>/", False, 3)],
    f"{WEB}error500": [("web", "GET error500", True, 1)],
    f"{WEB}http-loop": [("web", "GET http-loop", False, 11)],
    # The body's query came after the end of the request: a root of its own, and no entry.
    f"{WEB}export-stream": [("web", "GET export-stream", False, 1)],
    "runserver-sqlite-default__orders": [("web", "GET orders/", False, 42)],
    f"{TASK}fails": [
        ("web", "GET enqueue/<str:name>", False, 7),
        ("task", "shop.tasks.fails", True, 3),
    ],
    f"{TASK}retry-then-ok": [
        PUBLISHER,
        ("task", "shop.tasks.retry_then_ok", False, 6),
        ("task", "shop.tasks.retry_then_ok", False, 6),
        ("task", "shop.tasks.retry_then_ok", False, 3),
    ],
    f"{TASK}retry-exhausted": [
        PUBLISHER,
        ("task", "shop.tasks.retry_exhausted", False, 6),
        ("task", "shop.tasks.retry_exhausted", False, 6),
        ("task", "shop.tasks.retry_exhausted", True, 3),
    ],
    f"{TASK}ignored": [PUBLISHER, ("task", "shop.tasks.ignored", False, 1)],
    f"{TASK}rejected": [PUBLISHER, ("task", "shop.tasks.rejected", False, 1)],
    f"{TASK}soft-limit": [PUBLISHER, ("task", "shop.tasks.soft_limit", True, 3)],
    f"{TASK}n-plus-one": [PUBLISHER, ("task", "shop.tasks.n_plus_one", False, 25)],
    f"{TASK}external": [PUBLISHER, ("task", "shop.tasks.external", False, 4)],
}

# What is found in each scenario: rule, count, severity, suggestion, what it is about.
FINDINGS = {
    f"{WEB}orders": [
        ("n_plus_one", 20, "warning", "forward", "shop_customer"),
        ("n_plus_one", 20, "warning", "reverse", "shop_orderitem"),
    ],
    "runserver-sqlite-default__orders": [
        ("n_plus_one", 20, "warning", "forward", "shop_customer"),
        ("n_plus_one", 20, "warning", "reverse", "shop_orderitem"),
    ],
    f"{WEB}http-loop": [("n_plus_one_http", 10, "info", "batch", "GET 127.0.0.1:28090/price/{id}")],
    f"{WEB}notify-slow": [("slow_external_call", 1, "warning", "web", "POST 127.0.0.1/hook")],
    f"{WEB}notify-timeout": [("slow_external_call", 1, "info", "web", "POST 127.0.0.1/hook")],
    f"{TASK}fails": [("task_failure", 1, "warning", "raised", "shop.tasks.PaymentError")],
    f"{TASK}retry-exhausted": [
        ("task_retries_exhausted", 1, "critical", "mend", "shop.tasks.PaymentError")
    ],
    f"{TASK}soft-limit": [("task_timeout", 1, "critical", "soft", "shop.tasks.soft_limit")],
    f"{TASK}n-plus-one": [("n_plus_one", 20, "warning", "forward", "shop_customer")],
    f"{TASK}external": [("slow_external_call", 1, "info", "task", "GET 127.0.0.1/ext")],
}


@dataclass(frozen=True)
class Scenario:
    """What was found in the traces of a scenario."""

    entries: list[dict]
    findings: list[dict]


on_stores = pytest.mark.parametrize("kept_store", EMBEDDED_FIRST, indirect=True, scope="session")


@pytest.fixture(scope="module")
def found(kept_store: SpanStore) -> Callable[[str], Scenario]:
    """All scenarios, stored request by request as they came, and evaluated once."""
    empty(kept_store)
    traces: dict[str, list[str]] = {}
    for scenario in corpus.scenarios():
        requests = corpus.scenario(scenario)
        traces[scenario] = corpus.trace_ids(requests)
        for request in requests:
            written = kept_store.insert_spans(
                request.SerializeToString(), token=secrets.token_hex()
            )

            assert written == len(list(corpus.spans_of([request])))
    new_evaluator(kept_store, rules=RULES).tick()
    all_entries, all_findings = entries(kept_store), findings(kept_store)

    def found(scenario: str) -> Scenario:
        return Scenario(
            [row for row in all_entries if row["trace"] in traces[scenario]],
            [row for row in all_findings if row["trace"] in traces[scenario]],
        )

    return found


@on_stores
@pytest.mark.parametrize("scenario", ENTRIES)
def test_scenario(found, scenario):
    """Entries are requests and tasks, not bookkeeping; what is wrong is found, and only that."""
    seen = found(scenario)

    entered = [(row["kind"], row["name"], row["error"], row["spans"]) for row in seen.entries]
    wrong = [
        (row["rule"], row["count"], row["severity"], row["suggestion"], subject(row))
        for row in seen.findings
    ]
    assert entered == ENTRIES[scenario]
    assert not any(row["partial"] for row in seen.entries)
    assert sorted(wrong) == FINDINGS.get(scenario, [])


def test_every_scenario_is_expected():
    """No recorded request is left out."""
    assert sorted(ENTRIES) == corpus.scenarios()


@on_stores
def test_a_failed_task_says_where_it_failed(found):
    """The last line of the traceback that is the project's own."""
    (finding,) = found(f"{TASK}fails").findings

    place = (finding["code_file"], finding["code_line"], finding["code_function"])
    assert place == ("/srv/erp/shop/tasks.py", 20, "fails")


@on_stores
def test_an_n_plus_one_shows_its_statement(found):
    """Normalised text, and the spans that it is made of."""
    seen = found("runserver-sqlite-default__orders").findings

    items = next(row for row in seen if row["suggestion"] == "reverse")
    assert items["statement"].endswith('WHERE "shop_orderitem"."order_id" = ?')
    assert len(items["span_ids"]) == 20
    assert items["confidence"] == "medium"
    assert "hotspan.db.param_hash" in items["missing"]


def subject(finding: dict) -> str:
    details = finding["details"]
    return (
        details.get("table")
        or details.get("target")
        or details.get("exception")
        or finding["entry_name"]
    )
