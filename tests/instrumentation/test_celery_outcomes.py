"""How tasks wait and end: one worker runs them all, the tests look at what it sent."""

import re
import signal
import time

import pytest
from celery import Celery

from support.span_attributes import attributes, exceptions, starting_with

pytestmark = pytest.mark.timeout(120)

QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat")
SOON_MS = {"OTEL_BSP_SCHEDULE_DELAY": "100"}

RUN = (
    *("succeed", "fail", "fail_as_expected", "flaky", "try_again", "reject", "ignore"),
    *("exceed_the_soft_limit", "catch_the_soft_limit", "exceed_the_hard_limit"),
    *("die", "leave", "abort"),
)
UNSET, OK, ERROR = 0, 1, 2


@pytest.fixture(scope="module")
def broker_url(redis_server):
    """A database that the other tests of this module do not use."""
    return f"{redis_server.url.removesuffix('/0')}/1"


@pytest.fixture(scope="module")
def shop(shared_bookshop, broker_url):
    """A worker that is given every task once."""
    shared_bookshop.env |= SOON_MS | {"BOOKSHOP_BROKER_URL": broker_url}
    shared_bookshop.worker(*QUIET)
    _publish(shared_bookshop, *RUN, "books.no_such_task", "last_forever", "--doomed")
    return shared_bookshop


def _publish(shop, *arguments, env=None) -> list[str]:
    said = shop.run("python", "manage.py", "outcomes", *arguments, env=env)
    return re.findall(r"^[0-9a-f]{8}-\S{27}$", said, re.MULTILINE)


@pytest.fixture(scope="module")
def run_spans(shop, shared_sink, broker_url):
    """The attempts, by task and outcome, once all have arrived."""
    shared_sink.wait_for("run/books.outcomes.exceed_the_hard_limit")
    shared_sink.wait_for("run/books.outcomes.flaky", count=2)
    shared_sink.wait_for("run/books.outcomes.try_again", count=2)
    shared_sink.wait_for("run/books.outcomes.succeed", count=3)
    for name in ("die", "leave", "abort", "exceed_the_soft_limit", "catch_the_soft_limit"):
        shared_sink.wait_for(f"run/books.outcomes.{name}")
    shared_sink.wait_for("run/books.outcomes.ignore")
    (published,) = shared_sink.spans("apply_async/books.outcomes.last_forever")
    with Celery(broker=broker_url) as app:
        app.control.revoke(
            attributes(published)["messaging.message.id"], terminate=True, signal="SIGKILL"
        )
    shared_sink.wait_for("run/books.outcomes.last_forever")
    spans = {}
    for span in shared_sink.spans():
        outcome = attributes(span).get("hotspan.task.outcome")
        name = span.name.removeprefix("run/").removeprefix("books.outcomes.")
        # A child may still send its own span while it is being killed, without an outcome.
        if outcome is not None and name != "books.tasks.buy":
            assert (name, outcome) not in spans
            spans[name, outcome] = span
    return spans


OUTCOMES = {
    ("succeed", "success"): UNSET,
    ("succeed", "expired"): UNSET,
    ("succeed", "revoked"): UNSET,
    ("fail", "failure"): ERROR,
    ("fail_as_expected", "failure"): OK,
    ("flaky", "retry"): UNSET,
    ("flaky", "failure"): ERROR,
    ("try_again", "retry"): UNSET,
    ("try_again", "success"): UNSET,
    ("reject", "rejected"): UNSET,
    ("ignore", "ignored"): UNSET,
    ("exceed_the_soft_limit", "soft_timeout"): ERROR,
    ("exceed_the_hard_limit", "hard_timeout"): ERROR,
    ("catch_the_soft_limit", "success"): UNSET,
    ("abort", "lost"): ERROR,
    ("die", "lost"): ERROR,
    ("leave", "lost"): ERROR,
    ("last_forever", "revoked"): UNSET,
    ("books.no_such_task", "rejected"): ERROR,
}


def test_every_end_has_its_outcome(run_spans):
    """Each attempt arrives once with how it ended, and is an error when it is one."""
    assert {key: span.status.code for key, span in run_spans.items()} == OUTCOMES


def test_spans_of_the_main_process(run_spans):
    """What a child could not end is marked as made in its place."""
    made = {key for key, span in run_spans.items() if attributes(span).get("hotspan.synthetic")}

    assert made == {
        ("succeed", "expired"),
        ("succeed", "revoked"),
        ("exceed_the_hard_limit", "hard_timeout"),
        ("abort", "lost"),
        ("die", "lost"),
        ("leave", "lost"),
        ("last_forever", "revoked"),
        ("books.no_such_task", "rejected"),
    }


def test_every_attempt_belongs_to_its_publication(run_spans, shared_sink):
    """Also what the main process makes continues the trace, from the span that published it."""
    publications = {
        (span.trace_id, span.span_id): attributes(span)["messaging.message.id"]
        for span in shared_sink.spans()
        if span.name.startswith("apply_async/")
    }

    for span in run_spans.values():
        published = publications[span.trace_id, span.parent_span_id]

        assert attributes(span)["messaging.message.id"] == published


def test_times_of_what_was_killed(run_spans):
    """A killed attempt lasts from when its child took it until the main process knew."""
    span = run_spans["exceed_the_hard_limit", "hard_timeout"]

    assert span.end_time_unix_nano - span.start_time_unix_nano >= 1_000_000_000


def test_what_an_attempt_says(run_spans):
    """A task's span has what its message and its definition say."""
    span = run_spans["flaky", "failure"]
    found = starting_with(span, "hotspan.task.", "messaging.destination.name", "celery.retries")
    wait_ms = found.pop("hotspan.task.queue_wait_ms")
    worker = found.pop("hotspan.task.worker")
    root = found.pop("hotspan.task.root_id")

    assert found == {
        "celery.retries": 1,
        "hotspan.task.max_retries": 1,
        "hotspan.task.outcome": "failure",
        "hotspan.task.pool": "prefork",
        "hotspan.task.retry_policy": "autoretry",
        "messaging.destination.name": "celery",
    }
    assert wait_ms >= 0
    assert worker.startswith("celery@")
    assert root == attributes(span)["messaging.message.id"]


def test_synthetic_spans_say_the_same(run_spans):
    """What the main process makes has it too, and limits where there are any."""
    found = attributes(run_spans["exceed_the_hard_limit", "hard_timeout"])

    assert found["hotspan.task.time_limit_s"] == 1.0
    assert found["hotspan.task.queue_wait_ms"] >= 0
    assert found["hotspan.task.retry_policy"] == "none"
    assert found["celery.state"] == "FAILURE"
    assert found["celery.task_name"] == "books.outcomes.exceed_the_hard_limit"


def test_retry_policies(run_spans):
    """A task that calls retry itself has a policy, and no number of retries may be no limit."""
    found = attributes(run_spans["try_again", "success"])

    assert found["hotspan.task.retry_policy"] == "manual"
    assert found["hotspan.task.max_retries"] == -1


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (("flaky", "retry"), [("ConnectionError", "try later")]),
        (("flaky", "failure"), [("ConnectionError", "try later")]),
        (
            ("fail_as_expected", "failure"),
            [("books.outcomes.OutOfStockError", "no more of it")],
        ),
        (
            ("exceed_the_hard_limit", "hard_timeout"),
            [("billiard.exceptions.TimeLimitExceeded", "TimeLimitExceeded(1,)")],
        ),
        (("last_forever", "revoked"), []),
    ],
    ids=lambda value: "" if isinstance(value, list) else " ".join(value),
)
def test_exceptions(run_spans, key, expected):
    """An attempt has the exception that ended it, also when it is tried again."""
    assert exceptions(run_spans[key]) == expected


def test_a_caught_soft_limit_leaves_a_mark(run_spans):
    """A task that catches its soft limit succeeds, and its span says that the limit was passed."""
    marked = {
        key
        for key, span in run_spans.items()
        if attributes(span).get("hotspan.task.soft_limit_passed")
    }

    assert marked == {
        ("catch_the_soft_limit", "success"),
        ("exceed_the_soft_limit", "soft_timeout"),
    }


def test_expected_exceptions_are_named(run_spans):
    """An exception that the task declares in `throws` is told from one that it does not."""
    expected = attributes(run_spans["fail_as_expected", "failure"])
    other = attributes(run_spans["fail", "failure"])

    assert expected["hotspan.task.expected"] is True
    assert "hotspan.task.expected" not in other


def test_scheduled_tasks_name_their_entry(shop, shared_sink):
    """What beat publishes says for which entry, and how many runs were missed before it."""
    schedule = shop.data_dir / "schedule"
    beat = shop.process(
        *("celery", "-A", "bookshop", "beat", "--schedule", schedule, "--pidfile="),
        env={"BOOKSHOP_BEAT": "yes"},
    )
    beat.start()
    ran, *_ = shared_sink.wait_for("run/books.tasks.buy")
    beat.signal(signal.SIGSTOP)
    time.sleep(2.5)  # more than two runs are due meanwhile, and one of them comes
    beat.signal(signal.SIGCONT)
    late = _wait_for_missed_runs(shared_sink)
    beat.terminate()
    published = [span for span in shared_sink.spans() if span.span_id == ran.parent_span_id]

    assert [attributes(span)["hotspan.task.schedule"] for span in (ran, *published)] == [
        "sell-a-copy",
        "sell-a-copy",
    ]
    assert attributes(late)["hotspan.task.schedule_missed"] >= 1
    assert "hotspan.task.schedule_missed" not in attributes(published[0])


def _wait_for_missed_runs(sink):
    for count in range(1, 10):
        *_, newest = sink.wait_for("apply_async/books.tasks.buy", count=count)
        if "hotspan.task.schedule_missed" in attributes(newest):
            return newest
    raise AssertionError("beat was held up, and no publication says so")


def test_threads(bookshop, sink, redis_url):
    """A worker with threads says the same of its tasks."""
    bookshop.env |= SOON_MS | {"BOOKSHOP_BROKER_URL": redis_url}
    _publish(bookshop, "succeed", "fail", "reject")
    bookshop.worker(*QUIET, "--pool", "threads")
    for name in ("succeed", "fail", "reject"):
        sink.wait_for(f"run/books.outcomes.{name}")
    runs = [span for span in sink.spans() if span.name.startswith("run/")]

    assert sorted(
        (span.name.rpartition(".")[2], attributes(span)["hotspan.task.outcome"]) for span in runs
    ) == [
        ("fail", "failure"),
        ("reject", "rejected"),
        ("succeed", "success"),
    ]
    assert {attributes(span)["hotspan.task.pool"] for span in runs} == {"thread"}
