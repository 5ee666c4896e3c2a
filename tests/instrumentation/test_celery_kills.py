"""However often children are killed, each task arrives with its outcome, and so do those before."""

import re
import time

import pytest

from support.span_attributes import attributes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat")
RUNS = 10
WAIT_S = 120


@pytest.fixture
def outcomes(bookshop, sink, redis_url):
    """Publish tasks and run them in a worker; return the outcomes that arrived of each."""
    bookshop.env |= {"BOOKSHOP_BROKER_URL": redis_url}

    def outcomes(*names, options=()):
        said = bookshop.run("python", "manage.py", "outcomes", *names)
        ids = re.findall(r"^[0-9a-f]{8}-\S{27}$", said, re.MULTILINE)
        worker = bookshop.worker(*QUIET, *options)
        deadline = time.monotonic() + WAIT_S
        while not set(ids) <= (found := _by_id(sink)).keys():
            assert time.monotonic() < deadline, f"{len(found)} of {len(ids)} tasks arrived"
            time.sleep(0.1)
        worker.kill()
        return [found[task_id] for task_id in ids]

    return outcomes


def _by_id(sink) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for span in sink.spans():
        told = attributes(span)
        if "hotspan.task.outcome" in told:
            found.setdefault(told["messaging.message.id"], []).append(told["hotspan.task.outcome"])
    return found


@pytest.mark.parametrize(
    ("task", "outcome"),
    [
        ("die", "lost"),
        ("abort", "lost"),
        ("exceed_the_hard_limit", "hard_timeout"),
    ],
)
def test_ten_of_each(outcomes, task, outcome):
    """A task that is killed, aborts or exceeds its limit arrives once, as that."""
    assert outcomes(*[task] * RUNS) == [[outcome]] * RUNS


def test_ten_without_memory(outcomes):
    """A task that gets no memory arrives, although Celery's worker is of no use afterwards."""
    found = [outcomes("exhaust_memory", "exhaust_memory") for _ in range(RUNS // 2)]

    assert found == [[["failure"], ["failure"]]] * (RUNS // 2)


def test_ten_children_that_are_replaced(outcomes):
    """Children that end after each task deliver it."""
    options = ("--max-tasks-per-child", "1")

    assert outcomes(*["succeed"] * RUNS, options=options) == [["success"]] * RUNS


def test_tasks_before_the_one_that_kills(outcomes):
    """What a child has done before it is killed arrives, too."""
    tasks = ["succeed", "succeed", "die"] * RUNS

    assert outcomes(*tasks) == [["success"], ["success"], ["lost"]] * RUNS
