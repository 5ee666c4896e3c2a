"""The demo makes its shop anew, and deletes nothing else."""

from collections import Counter

import pytest

from hotspan_demo.errors import DemoError
from hotspan_demo.runner import came_of, make_empty
from hotspan_demo.traffic import plan, rounds


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
    traffic = plan()

    sent = Counter(request.path for request in rounds(traffic.requests))

    assert sent == {request.path: request.times for request in traffic.requests}


def test_expected_entries_are_those_that_are_sent():
    """Killed tasks leave no entry in 1.0.0, and do in 1.1.0."""
    traffic = plan()
    lost = "run/shop.erp.tasks.render_catalogue"

    before = traffic.expected_entries(release_has_problems=True)
    after = traffic.expected_entries(release_has_problems=False)

    assert (before["GET erp/orders/"], before[lost], after[lost]) == (4, 0, 2)


def test_tasks_are_counted_under_either_name():
    """The collector may know a task as `run/name`, or by its name alone."""
    came = Counter({"shop.erp.tasks.pay": 2, "GET health/": 1})

    assert came_of(came, "run/shop.erp.tasks.pay") == 2
