"""The shop's worker ends tasks in every way there is, on files and on Redis."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hotspan_demo.cases import CASES, CLEAN
from hotspan_demo.model import TaskRuns
from support.processes import Process

# A store or a worker for each case: many, and minutes together.
pytestmark = pytest.mark.slow

PUBLISH = """
import json, sys
import django; django.setup()
from shop.celery import app
for task, runs in json.loads(sys.argv[1]):
    for args in runs:
        app.send_task(task, args=args)
"""
OUTCOMES = {
    "index_product": r"index_product\[.*succeeded",
    "post_invoice": r"BookingError: Invoice I-0001: debit 12\.5545 and credit 12\.6 differ",
    "sync_exchange_rates": r"sync_exchange_rates\[.*retry: Retry in 1s",
    "push_to_marketplace": r"push_to_marketplace\[.*raised unexpected: HTTPError",
    "send_delivery_notice": r"send_delivery_notice\[.*raised unexpected: ReadTimeout",
    "export_ledger": r"export_ledger\[.*raised unexpected: SoftTimeLimitExceeded",
    "rebuild_search_index": r"Hard time limit \(1s\) exceeded for shop\.erp\.tasks\.rebuild",
    "render_catalogue": r"signal 9 \(SIGKILL\)",
}
FIXED = {name: rf"{name}\[.*succeeded" for name in OUTCOMES}


def runs_of(names):
    """What the demo publishes of some tasks, once each, in the order of the names."""
    triggers = [*(t for case in CASES for t in case.triggers), *(clean.trigger for clean in CLEAN)]
    by_name = {t.task.rpartition(".")[2]: t for t in triggers if isinstance(t, TaskRuns)}
    return [(by_name[name].task, by_name[name].runs[:1]) for name in names]


@pytest.fixture(params=["files", "redis"])
def redis_url_or_none(request):
    return "" if request.param == "files" else request.getfixturevalue("redis_url")


@pytest.fixture
def start_worker(tmp_path, redis_url_or_none, forgetful_stub_url):
    """Prepare a shop of a release, publish what is asked, and start its worker."""
    started = []

    def start(release, published):
        environment = {
            "DJANGO_SETTINGS_MODULE": "shop.settings",
            "SHOP_RELEASE": release,
            "SHOP_DATA_DIR": str(tmp_path / "shop"),
            "SHOP_STUB_URL": forgetful_stub_url,
            "REDIS_URL": redis_url_or_none,
            "C_FORCE_ROOT": "1",
        }
        run(environment, "-m", "django", "prepare")
        run(environment, "-c", PUBLISH, published)
        command = [Path(sys.executable).parent / "celery", "--app", "shop", "worker"]
        options = ["--pool", "prefork", "--concurrency", "2", "--loglevel", "INFO"]
        worker = Process(
            [*command, *options], log_path=tmp_path / "worker.log", env=environment, cwd=tmp_path
        )
        started.append(worker)
        worker.start()
        return worker

    yield start
    for worker in started:
        worker.kill()


def run(environment, *arguments):
    subprocess.run([sys.executable, *arguments], env={**os.environ, **environment}, check=True)


@pytest.mark.parametrize(("release", "outcomes"), [("1.0.0", OUTCOMES), ("1.1.0", FIXED)])
def test_outcomes(start_worker, release, outcomes):
    """Success, failure, retry, retries exhausted, both limits, a killed worker; 1.1.0 succeeds."""
    worker = start_worker(release, json.dumps(runs_of(outcomes)))

    for line in outcomes.values():
        worker.wait_for_line(line)
