"""What people say of violations over the API, and that the evaluator takes it up."""

import httpx
import pytest

from hotspan_collector.store.port import SpanStore
from support.shop_traces import evaluate, new_evaluator, order_list


@pytest.fixture
def violation_id(api: httpx.Client, store: SpanStore) -> str:
    order_list(store)
    evaluate(store)
    (found,) = api.get("/violations").json()["violations"]
    return found["id"]


def say(api: httpx.Client, violation_id: str, action: str, **body: object) -> httpx.Response:
    return api.post(f"/violations/{violation_id}/{action}", json=body)


@pytest.mark.parametrize(
    ("action", "status", "active"),
    [("acknowledge", "acknowledged", 1), ("ignore", "ignored", 0)],
)
def test_what_is_said_is_seen_at_once_and_kept(
    api: httpx.Client, store: SpanStore, violation_id: str, *, action, status, active
):
    """Before the evaluator's next tick and after it, with who said it and why."""
    answer = say(api, violation_id, action, by="ada", reason="known").json()
    before = api.get(f"/violations/{violation_id}").json()
    new_evaluator(store).apply_actions()
    after = api.get(f"/violations/{violation_id}").json()
    listed = [each["id"] for each in api.get("/violations").json()["violations"]]

    for told in (answer, before, after):
        assert (told["status"], told["status_by"], told["status_reason"]) == (
            status,
            "ada",
            "known",
        )
    assert after["history"][0]["to_status"] == status
    assert (after["history"][0]["by"], after["history"][0]["reason"]) == ("ada", "known")
    assert listed == [violation_id] * active


def test_ignoring_says_until_when(api: httpx.Client, violation_id: str):
    """All conditions are told; whichever comes first ends it."""
    answer = say(
        api,
        violation_id,
        "ignore",
        until="2190-01-01T00:00:00Z",
        more_hits=5,
        impact_factor=2,
        next_release=True,
    ).json()

    ignored = answer["ignored"]
    del ignored["since"]
    assert ignored == {
        "until": "2190-01-01T00:00:00Z",
        "more_hits": 5,
        "impact_factor": 2,
        "next_release": True,
    }


def test_ignoring_for_some_more_hits_ends_with_them(
    api: httpx.Client, store: SpanStore, violation_id: str
):
    """It is open again, and says why."""
    say(api, violation_id, "ignore", more_hits=2)
    new_evaluator(store).apply_actions()
    states = []
    for _ in range(2):
        order_list(store, ago_ms=1_000)
        evaluate(store)
        states.append(api.get(f"/violations/{violation_id}").json())

    assert [each["status"] for each in states] == ["ignored", "open"]
    assert states[1]["status_reason"] == "2 more hits"


def test_ignoring_until_the_next_release(api: httpx.Client, store: SpanStore, violation_id: str):
    """A release that was not there before ends it, be it hit or not."""
    say(api, violation_id, "ignore", next_release=True)
    new_evaluator(store).apply_actions()
    order_list(store, version="1.1.0", queries=1, ago_ms=-2_000)
    evaluate(store)
    changes = new_evaluator(store).find_silent(quiet_after_ms=3_600_000)

    assert [(change.event, change.violation.reason) for change in changes] == [
        ("opened", "release 1.1.0")
    ]


@pytest.mark.parametrize(
    ("first", "then", "status"),
    [("ignore", "unignore", "open"), ("acknowledge", "reopen", "open")],
)
def test_it_can_be_taken_back(api: httpx.Client, violation_id: str, first, then, status):
    """Also before the evaluator has looked."""
    say(api, violation_id, first)

    assert say(api, violation_id, then).json()["status"] == status


def test_a_resolution_waits_for_its_proof(api: httpx.Client, violation_id: str):
    """A word alone fixes nothing."""
    answer = say(api, violation_id, "resolve", by="ada").json()

    assert (answer["status"], answer["fix"]) == ("resolving", None)


def test_what_cannot_be_done_says_when_it_can(api: httpx.Client, violation_id: str):
    """An open violation is not ignored, so that cannot end."""
    answer = say(api, violation_id, "unignore")

    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert "is for those that are ignored" in answer.json()["message"]


def test_what_may_be_done_is_told(api: httpx.Client, violation_id: str):
    """A client need not know the states."""
    opened = api.get(f"/violations/{violation_id}").json()["actions"]
    ignored = say(api, violation_id, "ignore").json()["actions"]

    assert opened == ["acknowledge", "ignore", "resolve"]
    assert "unignore" in ignored


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"until": "1999-01-01T00:00:00Z"}, "lies in the past"),
        ({"until": "soon"}, "expected a time"),
        ({"more_hits": 0}, "more_hits"),
        ({"impact_factor": 1}, "impact_factor"),
        ({"untill": "7d"}, "untill"),
    ],
)
def test_a_condition_that_cannot_be_used_is_named(api: httpx.Client, violation_id, body, said):
    """Nothing is written."""
    answer = say(api, violation_id, "ignore", **body)

    assert answer.status_code == 400
    assert said in answer.json()["message"]
    assert api.get(f"/violations/{violation_id}").json()["status"] == "open"


def test_nothing_can_be_said_of_what_is_not_there(api: httpx.Client):
    """The answer says where the known ones are."""
    assert say(api, "v1:nothing", "ignore").status_code == 404


def test_a_form_of_another_site_can_say_nothing(api: httpx.Client, violation_id: str):
    """A browser sends text without asking first; only JSON is taken."""
    answer = api.post(
        f"/violations/{violation_id}/ignore",
        content='{"by": "eve"}',
        headers={"Content-Type": "text/plain"},
    )

    assert answer.status_code == 400
    assert api.get(f"/violations/{violation_id}").json()["status"] == "open"
