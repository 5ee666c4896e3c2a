"""How many runs of a schedule did not come."""

from datetime import UTC, datetime, timedelta

import pytest
from celery import Celery
from celery.schedules import BaseSchedule, crontab, schedule

from hotspan_instrumentation.celery_schedule import MAX_MISSED_RUNS, missed_runs

NOW = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def app():
    with Celery(set_as_current=False) as app:
        yield app


@pytest.mark.parametrize(
    ("late", "missed"),
    [
        ({"seconds": 10}, 0),
        ({"seconds": 19}, 0),
        ({"seconds": 20}, 1),
        ({"seconds": 45}, 3),
        ({"days": 400}, MAX_MISSED_RUNS),
    ],
)
def test_intervals(app, late, missed):
    """Of all runs since the last one, the one that comes now is not missed."""
    every_ten_s = schedule(timedelta(seconds=10), nowfun=lambda: NOW, app=app)

    assert missed_runs(every_ten_s, NOW - timedelta(**late)) == missed


@pytest.mark.parametrize(
    ("last", "missed"),
    [
        (datetime(2026, 3, 1, 11, 0, 2, tzinfo=UTC), 0),
        (datetime(2026, 3, 1, 9, 0, 1, tzinfo=UTC), 2),
        (datetime(2026, 2, 28, 12, 0, 1, tzinfo=UTC), 23),
    ],
)
def test_crontabs(app, last, missed):
    """So it is where runs have their times."""
    every_hour = crontab(minute="0", nowfun=lambda: NOW, app=app)

    assert missed_runs(every_hour, last) == missed


@pytest.mark.parametrize("unknown", [None, BaseSchedule()])
def test_other_schedules(unknown):
    """Of a schedule that is neither, nothing is known; Celery has entries without any, too."""
    assert missed_runs(unknown, NOW) == 0


def test_naive_times(app):
    """A time without a zone is one of the application's."""
    every_ten_s = schedule(timedelta(seconds=10), nowfun=lambda: NOW, app=app)
    naive = (NOW - timedelta(seconds=45)).replace(tzinfo=None)

    assert missed_runs(every_ten_s, naive) == 3
