"""Rules over windows that judge tasks: waiting, retrying, getting lost."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

import pytest
from rules.window_cases import Case, found_in, parametrize

from support.window_entries import (
    Entry,
    Publication,
    find,
    spread,
    store_entries,
    store_publications,
    task,
)

# A store or a worker for each case: many, and minutes together.
pytestmark = pytest.mark.slow

DAY_S = 86_400
_ids = itertools.count(1)


def waiting(seconds: float) -> Entry:
    return task(queue_wait_ms=seconds * 1000)


@parametrize(
    "task_queue_wait",
    Case(name="more than half a minute", entries=spread(waiting(40), 20), found=[("", "warning")]),
    Case(name="for minutes", entries=spread(waiting(400), 20), found=[("", "critical")]),
    Case(
        name="much longer than last week",
        entries=[*spread(waiting(1), 50, from_s=DAY_S, over_s=DAY_S), *spread(waiting(12), 20)],
        found=[("", "warning")],
    ),
    Case(
        name="one in ten waits long",
        entries=[*spread(waiting(1), 27), *spread(waiting(60), 3)],
        found=[("", "warning")],
    ),
    Case(name="some seconds", entries=spread(waiting(8), 20)),
    Case(
        name="as long as last week",
        entries=[*spread(waiting(10), 50, from_s=DAY_S, over_s=DAY_S), *spread(waiting(12), 20)],
    ),
    Case(
        name="five times next to nothing",
        entries=[*spread(waiting(0.1), 50, from_s=DAY_S, over_s=DAY_S), *spread(waiting(2), 20)],
    ),
    Case(
        name="another task waited less",
        entries=[
            *spread(replace(waiting(1), name="shop.tasks.other"), 50, from_s=DAY_S, over_s=DAY_S),
            *spread(waiting(12), 20),
        ],
    ),
    Case(name="too few", entries=spread(waiting(40), 19)),
    Case(name="not known", entries=spread(task(), 30)),
)
def test_task_queue_wait(case):
    """Waiting is judged by what people bear, and by what it was before."""
    assert list(case.found) == found_in("task_queue_wait", case)


def runs(*states: str, name: str = "shop.tasks.send") -> list[Entry]:
    """Return the runs of one task id, each a retry of the one before."""
    message_id = f"message-{next(_ids)}"
    return [
        task(
            name=name,
            ago_s=600 - 10 * number,
            message_id=message_id,
            task_retries=number,
            task_state=state,
        )
        for number, state in enumerate(states)
    ]


def often(count: int, *states: str) -> list[Entry]:
    return [entry for _ in range(count) for entry in runs(*states)]


@parametrize(
    "task_retry_storm",
    Case(
        name="every task needs a second try",
        entries=often(10, "RETRY", "SUCCESS"),
        found=[("", "warning")],
    ),
    Case(
        name="one task five times",
        entries=[*runs("RETRY", "RETRY", "RETRY", "RETRY", "SUCCESS"), *often(90, "SUCCESS")],
        found=[("", "warning")],
    ),
    Case(
        name="two tasks",
        entries=[
            *often(10, "RETRY", "FAILURE"),
            *runs(*["RETRY"] * 6, name="shop.tasks.other"),
        ],
        found=[("", "warning"), ("", "warning")],
    ),
    Case(
        name="one in five is tried again",
        entries=[*often(8, "RETRY", "SUCCESS"), *often(20, "SUCCESS")],
    ),
    Case(name="a few", entries=often(3, "RETRY", "SUCCESS")),
    Case(
        name="three tries at most",
        entries=[*runs("RETRY", "RETRY", "SUCCESS"), *often(30, "SUCCESS")],
    ),
    Case(name="no retries", entries=often(60, "SUCCESS")),
    Case(
        name="taken over after a crash",
        entries=[replace(entry, task_retries=0) for entry in often(3, *["SUCCESS"] * 9)],
    ),
    Case(
        name="ids not known",
        entries=[
            replace(each, message_id="") for each in [*often(5, "RETRY"), *often(40, "SUCCESS")]
        ],
    ),
)
def test_task_retry_storm(case):
    """Retries are a storm by their share, or by their number for one task."""
    assert list(case.found) == found_in("task_retry_storm", case)


PUBLISHER = Entry(
    name="POST erp/orders/", ago_s=10_000, trace_id="00000000000000000000000000c0ffee"
)
LATER = "later"
SENT = Publication(ago_s=9_000, message_id="sent", by=PUBLISHER)


def ran(message_id: str, ago_s: float, **values: object) -> Entry:
    """Return a run on an instrumented worker."""
    limit = {"hotspan.task.max_retries": 3, "hotspan.task.time_limit_s": 300}
    return task(message_id=message_id, ago_s=ago_s, counters=limit, **values)


# Published after the one in question, and run at once.
FOLLOWING = (
    [Publication(ago_s=8_000, message_id=LATER, by=PUBLISHER)],
    [PUBLISHER, ran(LATER, 7_999)],
)


def lost(database, publications, entries, **settings) -> list[tuple[str, str, str]]:
    store_entries(database, entries)
    store_publications(database, publications)
    return [
        (each.entry, each.severity, each.confidence)
        for each in find(database, "task_lost", **settings)
    ]


def test_task_lost(embedded_store):
    """What was published, and has not run while later ones have, is lost."""
    publications, entries = FOLLOWING

    assert lost(embedded_store, [SENT, *publications], entries) == [
        ("shop.tasks.send", "critical", "medium")
    ]


def test_task_lost_on_stock_spans(embedded_store):
    """Without enrichment it may have been revoked, or its span lost: less sure, less loud."""
    publications, entries = FOLLOWING
    stock = [replace(entry, counters={}) for entry in entries]

    assert lost(embedded_store, [SENT, *publications], stock) == [
        ("shop.tasks.send", "warning", "low")
    ]


def test_task_of_beat_lost(embedded_store):
    """Beat's publication is in no entry: it is shown on a run of the same task."""
    publications, entries = FOLLOWING
    by_beat = replace(SENT, by=None)

    assert lost(embedded_store, [by_beat, *publications], entries) == [
        ("shop.tasks.send", "critical", "medium")
    ]


def test_task_killed(embedded_store):
    """The worker's main process says what became of its child."""
    killed = ran("sent", 60, task_outcome="lost", task_state="FAILURE", error=True)

    assert lost(embedded_store, [replace(SENT, ago_s=61)], [PUBLISHER, killed]) == [
        ("shop.tasks.send", "critical", "high")
    ]


def test_retry_lost(embedded_store):
    """A retry is published like a task of its own, and may be lost like one."""
    publications, entries = FOLLOWING
    retried = [ran("sent", 8_990, task_state="RETRY")]
    again = replace(SENT, ago_s=8_980)

    assert lost(embedded_store, [SENT, again, *publications], [*entries, *retried]) == [
        ("shop.tasks.send", "critical", "medium")
    ]


def waiting_for(publications: Sequence[Publication], entries: Sequence[Entry]) -> dict:
    """Return what a case of it stores: this, and what was published and has run since."""
    later, following = FOLLOWING
    return {"publications": [*publications, *later], "entries": [*following, *entries]}


@parametrize(
    "task_lost",
    Case(name="it never ran", found=[("vanished", "critical")], **waiting_for([SENT], [])),
    Case(
        name="its retry never ran",
        found=[("vanished", "critical")],
        **waiting_for([SENT, replace(SENT, ago_s=8_980)], [ran("sent", 8_990, task_state="RETRY")]),
    ),
    Case(
        name="its child was killed",
        found=[("killed", "critical")],
        publications=[replace(SENT, ago_s=61)],
        entries=[
            PUBLISHER,
            ran("sent", 60, task_outcome="lost", task_state="FAILURE", error=True),
        ],
    ),
    Case(name="it ran", **waiting_for([SENT], [ran("sent", 8_990)])),
    Case(
        name="it failed",
        **waiting_for([SENT], [ran("sent", 8_990, task_state="FAILURE", error=True)]),
    ),
    Case(
        name="it was revoked",
        **waiting_for([SENT], [ran("sent", 8_990, task_outcome="revoked", task_state="REVOKED")]),
    ),
    Case(
        name="it expired, as the worker says",
        **waiting_for([SENT], [ran("sent", 8_990, task_outcome="expired", task_state="REVOKED")]),
    ),
    Case(
        name="it expired, as its publication says",
        **waiting_for([replace(SENT, expires_s=8_500)], []),
    ),
    Case(name="it is planned for later", **waiting_for([replace(SENT, eta_s=-3_600)], [])),
    Case(name="it is due just now", **waiting_for([replace(SENT, eta_s=100)], [])),
    Case(
        name="tasks wait for hours",
        **waiting_for([replace(SENT, ago_s=8_100, message_id="slow"), SENT], [ran("sent", 100)]),
    ),
    Case(
        name="its retry ran",
        **waiting_for(
            [SENT, replace(SENT, ago_s=8_980)],
            [ran("sent", 8_990, task_state="RETRY"), ran("sent", 8_970, task_retries=1)],
        ),
    ),
    Case(
        name="another worker took it over",
        **waiting_for(
            [SENT],
            [
                ran("sent", 8_990, task_outcome="lost", task_state="FAILURE"),
                ran("sent", 8_900, task_outcome="success"),
            ],
        ),
    ),
    Case(
        name="its environment has no workers that report",
        **waiting_for([replace(SENT, environment="staging")], []),
    ),
)
def test_task_lost_or_not(case):
    """What ended in another way, or may still run, is not lost."""
    assert list(case.found) == found_in("task_lost", case)


def test_backlog_is_no_loss(embedded_store):
    """As long as nothing that came later has run, it may still have its turn."""
    earlier = Publication(ago_s=9_500, message_id="earlier", by=PUBLISHER)

    assert lost(embedded_store, [earlier, SENT], [PUBLISHER, ran("earlier", 9_499)]) == []


def test_another_queue_says_nothing(embedded_store):
    """Workers of one queue may be down while those of others work."""
    publications, entries = FOLLOWING
    elsewhere = replace(SENT, queue="reports", task="shop.tasks.report")

    assert lost(embedded_store, [elsewhere, *publications], entries) == []


def test_a_task_may_run_for_its_limit(embedded_store):
    """A span comes when its task ends, so one that still runs looks like none."""
    sent = replace(SENT, ago_s=250)
    later = Publication(ago_s=240, message_id=LATER, by=PUBLISHER)

    assert lost(embedded_store, [sent, later], [PUBLISHER, ran(LATER, 239)]) == []
