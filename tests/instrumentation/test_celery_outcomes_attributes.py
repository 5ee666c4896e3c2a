"""What is computed of a message and a task's definition."""

from types import SimpleNamespace

import pytest
from celery import Celery

from hotspan_instrumentation.celery_attributes import queue_wait_ms, retry_policy

PUBLISHED_S = 1_800_000_000.0
TEN_LATER = "2027-01-15T08:00:10"


@pytest.mark.parametrize(
    ("message", "started_after_s", "expected"),
    [
        ({"hotspan_published": str(PUBLISHED_S)}, 2.5, 2500),
        ({"hotspan_published": str(PUBLISHED_S), "eta": f"{TEN_LATER}+00:00"}, 12.5, 2500),
        ({"hotspan_published": str(PUBLISHED_S), "eta": f"{TEN_LATER}"}, 12.5, 2500),
        ({"hotspan_published": str(PUBLISHED_S + 20), "eta": f"{TEN_LATER}Z"}, 20.5, 500),
        ({"hotspan_published": str(PUBLISHED_S)}, -0.1, 0),
        ({"hotspan_published": str(PUBLISHED_S)}, -60, None),
        ({}, 2.5, None),
    ],
    ids=["plain", "eta", "eta in UTC", "eta that is over", "skew", "wrong clock", "not traced"],
)
def test_queue_wait(message, started_after_s, expected):
    """A wait counts from when the task might have run; clocks that disagree give none."""
    assert queue_wait_ms(message, started_s=PUBLISHED_S + started_after_s) == expected


app = Celery("shop", set_as_current=False)


@app.task(bind=True)
def in_a_function(self):
    def give_up(error):
        raise self.retry(exc=error)

    return give_up


@app.task(autoretry_for=(OSError,))
def automatic():
    pass


@app.task
def without():
    pass


@pytest.mark.parametrize(
    ("task", "expected"),
    [(in_a_function, "manual"), (automatic, "autoretry"), (without, "none")],
    ids=["manual", "autoretry", "none"],
)
def test_retry_policy(task, expected):
    """A policy is declared, or is a call of retry somewhere in the task's code."""
    assert retry_policy(task) == expected


def test_tasks_without_code():
    """A task that is no Python function has no policy that could be seen."""
    assert retry_policy(SimpleNamespace(run=print)) == "none"
