"""Keys, health, errors, and the description of the API."""

import json

import httpx
import pytest

from hotspan_collector.errors import StoreRefusedError, StoreUnavailableError
from hotspan_collector.settings import Settings
from hotspan_collector.store.port import SpanStore
from support.api_server import CollectorStatus, serve_api

from .conftest import client

_KEYED = Settings(api_keys=("first-key", "second-key"))


class BrokenDatabase:
    """A store that fails at every call."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def rows(self, sql, parameters=None):
        raise self._error

    execute = json_bytes = rows


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (None, 401),
        ("Bearer wrong", 401),
        ("Bearer first-ke", 401),
        ("Basic first-key", 401),
        ("Bearer ké", 401),
        ("Bearer first-key", 200),
        ("bearer second-key", 200),
    ],
)
def test_a_key_is_asked_for_when_keys_are_set(store: SpanStore, header, status):
    """Any of the keys opens, nothing else does."""
    headers = {"Authorization": header.encode()} if header else {}
    with serve_api(store, settings=_KEYED) as url, client(url, headers=headers) as api:
        answer = api.get("/rules")

    assert answer.status_code == status


def test_a_refusal_says_how_to_send_a_key(store: SpanStore):
    """The message names the header and the setting."""
    with serve_api(store, settings=_KEYED) as url, client(url) as api:
        answer = api.get("/services")

    assert answer.json()["code"] == "unauthorized"
    assert "HOTSPAN_API_KEY" in answer.json()["message"]
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/api/v1/openapi.json"])
def test_health_needs_no_key(store: SpanStore, path):
    """A load balancer has none."""
    with serve_api(store, settings=_KEYED) as url:
        answer = httpx.get(f"{url}{path}", trust_env=False, timeout=30)

    assert answer.status_code == 200


@pytest.mark.parametrize("lag_s", [None, 61])
def test_it_is_not_ready_without_an_evaluator(store: SpanStore, lag_s):
    """Spans that nobody judges are no service, be it stopped or stuck."""
    with serve_api(store, status=CollectorStatus(evaluator_lag_s=lag_s)) as url:
        ready = httpx.get(f"{url}/readyz", trust_env=False, timeout=30)
        alive = httpx.get(f"{url}/healthz", trust_env=False, timeout=30)

    assert (ready.status_code, ready.json()["code"]) == (503, "evaluator_stopped")
    assert alive.status_code == 200


def test_a_store_that_does_not_answer_is_told_as_such():
    """Clients learn that, and when, to try again; and nothing of the inside."""
    broken = BrokenDatabase(StoreUnavailableError("The store cannot be reached.\nTraceback: x"))
    with serve_api(broken) as url, client(url) as api:
        answer = api.get("/traces")
        ready = httpx.get(f"{url}/readyz", trust_env=False, timeout=30)

    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert "Traceback" not in answer.text
    assert (ready.status_code, ready.json()["code"]) == (503, "store_unavailable")


@pytest.mark.parametrize(
    ("error", "code"),
    [(StoreRefusedError("SELECT secret"), "store_refused"), (RuntimeError("secret"), "internal")],
)
def test_a_mistake_of_ours_keeps_its_details_in_the_log(error, code):
    """The answer points at the log."""
    with serve_api(BrokenDatabase(error)) as url, client(url) as api:
        answer = api.get("/violations")

    assert (answer.status_code, answer.json()["code"]) == (500, code)
    assert "secret" not in answer.text


def test_an_unknown_path_is_a_problem_too(api: httpx.Client):
    """Also what no route answers is JSON that says what to do."""
    answers = [api.get("/nothing"), api.post("/traces")]

    assert [(each.status_code, each.json()["code"]) for each in answers] == [
        (404, "not_found"),
        (405, "method_not_allowed"),
    ]


def test_status_and_rules_are_told(api: httpx.Client):
    """What the collector says of itself, and the catalogue with its settings."""
    status, rules = api.get("/status").json(), api.get("/rules").json()["rules"]

    assert (status["spans_stored"], status["evaluator_lag_s"]) == (12, 0.4)
    assert "n_plus_one" in [each["id"] for each in rules]
    assert all(each["title"] and each["finds"] and each["why"] for each in rules)


def test_the_description_covers_every_route(api: httpx.Client):
    """Each operation has a summary, and its parameters and answers are described."""
    description = api.get("/openapi.json").json()
    operations = [each for path in description["paths"].values() for each in path.values()]
    parameters = [each for operation in operations for each in operation.get("parameters", [])]

    assert len(operations) == 24
    assert all(operation["summary"] for operation in operations)
    assert [each["name"] for each in parameters if not each.get("description")] == []
    assert "Trace" in json.dumps(description["paths"]["/api/v1/traces/{trace_id}"])
