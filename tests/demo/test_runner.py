"""The demo makes its shop anew, and deletes nothing else."""

from collections import Counter

import pytest

from hotspan_demo.errors import DemoError
from hotspan_demo.runner import came_of, make_empty
from hotspan_demo.traffic import rounds, waves

RETRIED = "push_to_marketplace"
KILLED = "render_catalogue"


def test_a_shop_of_another_run_is_made_anew(tmp_path):
    """What an earlier run left in the shop is gone."""
    folder = tmp_path / "shop"
    make_empty(folder)
    (folder / "shop.sqlite3").touch()

    make_empty(folder)

    assert [path.name for path in folder.iterdir()] == [".hotspan-demo"]


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    """A folder called shop that the demo has not made is an error, and stays as it is."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "thesis.tex").touch()

    with pytest.raises(DemoError, match="--data-dir"):
        make_empty(folder)

    assert (folder / "thesis.tex").exists()


def test_traffic_sends_each_page_as_often_as_its_case_asks():
    """Pages are mixed, and none is forgotten."""
    requests = [request for wave in waves() for request in wave.requests]

    sent = Counter(request.path for request in rounds(requests))

    assert sent == {request.path: request.times for request in requests}


def test_expected_entries_are_those_that_are_sent():
    """Each attempt leaves an entry in 1.0.0, and a killed task none; in 1.1.0 each run does."""
    names = ("GET erp/orders/", *(f"run/shop.erp.tasks.{task}" for task in (RETRIED, KILLED)))

    before, after = (
        sum((wave.expected_entries(release_has_problems=has) for wave in waves()), Counter())
        for has in (True, False)
    )

    assert [before[name] for name in names] == [4, 3, 0]
    assert [after[name] for name in names] == [4, 1, 2]


def test_workers_are_killed_last():
    """A process that is killed takes along what it has not sent: all else goes before."""
    *before, last = waves()
    jobs = [job.task for wave in before for job in wave.jobs]

    assert f"shop.erp.tasks.{RETRIED}" in jobs
    assert {job.task for job in last.jobs} == {
        *(f"shop.erp.tasks.{task}" for task in (KILLED, "rebuild_search_index"))
    }


def test_tasks_are_counted_under_either_name():
    """The collector may know a task as `run/name`, or by its name alone."""
    came = Counter({"shop.erp.tasks.pay": 2, "GET health/": 1})

    assert came_of(came, "run/shop.erp.tasks.pay") == 2
