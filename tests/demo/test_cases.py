"""The table of cases agrees with the shop."""

import os
import subprocess
import sys

import pytest

from hotspan_demo.cases import CASES, CLEAN
from hotspan_demo.model import ANY_ENTRY, Request, TaskRuns

TRIGGERS = [
    *(trigger for case in CASES for trigger in case.triggers),
    *(clean.trigger for clean in CLEAN),
]
LIST_TASKS = """
import django; django.setup()
from shop.celery import app
app.loader.import_default_modules()
for name, task in app.tasks.items():
    if name.startswith("shop."):
        print(name, bool(getattr(task, "autoretry_for", ())))
"""


def shop_tasks(release, folder):
    """Every task of the shop, and whether it is retried."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "shop.settings",
        "SHOP_RELEASE": release,
        "SHOP_DATA_DIR": str(folder),
    }
    listed = subprocess.run(
        [sys.executable, "-c", LIST_TASKS],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    pairs = (line.split() for line in listed.stdout.splitlines())
    return {name: retried == "True" for name, retried in pairs}


@pytest.mark.parametrize(("release", "unprotected"), [("1.0.0", 16), ("1.1.0", 0)])
def test_tasks_without_retry(release, unprotected, tmp_path):
    """16 of the 28 tasks have no retry policy in 1.0.0, and none in 1.1.0."""
    tasks = shop_tasks(release, tmp_path)

    assert (28, unprotected) == (len(tasks), list(tasks.values()).count(False))


def test_every_task_runs(tmp_path):
    """The traffic publishes each of the shop's tasks."""
    published = {trigger.task for trigger in TRIGGERS if isinstance(trigger, TaskRuns)}

    assert published == set(shop_tasks("1.0.0", tmp_path))


def test_pairs_belong_to_what_is_triggered():
    """A pair names an entry that some trigger leads to."""
    entries = {trigger.entry for trigger in TRIGGERS} | {ANY_ENTRY}

    assert {pair.entry for case in CASES for pair in case.pairs} <= entries


def test_case_ids_are_unique():
    """A case is known by its id."""
    ids = [case.id for case in CASES]

    assert sorted(ids) == sorted(set(ids))


def test_clean_pages_are_no_cases():
    """What must lead to no finding is triggered by no case."""
    clean = {clean.trigger.entry for clean in CLEAN}

    assert not clean & {pair.entry for case in CASES for pair in case.pairs}


def test_six_clean_pages_at_least():
    """There are enough clean pages to tell a rule that fires on anything."""
    assert sum(isinstance(clean.trigger, Request) for clean in CLEAN) >= 6
