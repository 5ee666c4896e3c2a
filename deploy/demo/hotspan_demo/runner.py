"""Runs the demo: processes, traffic, waiting for the collector, and the report."""

from __future__ import annotations

import shutil
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx

from hotspan_demo import commands
from hotspan_demo.cases import CASES, CLEAN
from hotspan_demo.client import Api
from hotspan_demo.errors import DemoError
from hotspan_demo.ports import check_free
from hotspan_demo.report import Result
from hotspan_demo.traffic import Wave, send, waves
from hotspan_demo.verdict import judge, task_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.console import Console

    from hotspan_demo.client import Found
    from hotspan_demo.processes import Supervisor
    from hotspan_demo.settings import DemoSettings
    from hotspan_demo.verdict import Verdict

__all__ = ["PROBLEM_RELEASE", "RELEASES", "Demo"]

PROBLEM_RELEASE = "1.0.0"
RELEASES = (PROBLEM_RELEASE, "1.1.0")
POLL_S = 0.5
# An entry that is there, and nothing left to evaluate, twice in a row: no rule is still at work.
QUIET_POLLS = 2
# Celery's worker says so, at the end of what it says at its start.
WORKER_IS_READY = " ready."
# Rules over windows look again a little later; what they have to find may still come.
LAST_LOOK_S = 30
# Tells a folder that the demo may delete.
MARKER = ".hotspan-demo"


class Demo:
    """One run. `say` is told what happens."""

    def __init__(
        self, settings: DemoSettings, *, supervisor: Supervisor, say: Callable[[str], None]
    ) -> None:
        self._settings = settings
        self._supervisor = supervisor
        self._say = say
        self._api = Api(settings.api_url)

    def run(self) -> Result:
        """Start all, send the traffic, wait until it is evaluated, and judge.

        Raises:
            DemoError: something cannot go on; the message says what to do.
            StoppedError: somebody wants it to stop.

        """
        self._start()
        started = datetime.now(tz=UTC)
        expected: Counter[str] = Counter()
        for wave in waves():
            self._wait_for_tasks(expected, since=started)
            self._say(f"Sending {wave.what}")
            self._send(wave)
            expected += wave.expected_entries(release_has_problems=self._has_problems)
        incomplete = self._wait_for_entries(expected, since=started)
        return self._result(since=started, incomplete=incomplete)

    def with_evidence(self, result: Result) -> Result:
        """Return a result with the evidence of each violation."""
        return replace(result, found=[self._api.with_evidence(each) for each in result.found])

    @property
    def _has_problems(self) -> bool:
        return self._settings.release == PROBLEM_RELEASE

    def close(self) -> None:
        self._api.close()

    def _start(self) -> None:
        settings, supervisor = self._settings, self._supervisor
        check_free(settings.ports.by_option(with_ui=not settings.once))
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        self._say(f"Starting the collector; data and logs are in {settings.data_dir}")
        supervisor.start(commands.collector(settings))
        supervisor.start(commands.stub(settings))
        self._await_url(f"{settings.api_url}/readyz", what="The collector")
        self._say(f"Filling the shop, release {settings.release}")
        make_empty(settings.shop_dir)
        supervisor.run(commands.prepare_shop(settings))
        self._say("Starting gunicorn and Celery under opentelemetry-instrument")
        hash_key = commands.new_hash_key()
        if not settings.once:
            supervisor.start(commands.ui(settings))
        supervisor.start(commands.web(settings, hash_key=hash_key))
        worker = supervisor.start(commands.worker(settings, hash_key=hash_key))
        self._await_url(f"{settings.shop_url}/health/", what="The shop")
        # Or tasks would wait for it, as they do behind a backlog.
        supervisor.wait_until(
            lambda: WORKER_IS_READY in worker.last_lines(),
            what="The task worker",
            within_s=settings.start_timeout_s,
        )

    def _await_url(self, url: str, *, what: str) -> None:
        def answers() -> bool:
            try:
                return httpx.get(url, timeout=2, trust_env=False).is_success
            except httpx.HTTPError:
                return False

        self._supervisor.wait_until(answers, what=what, within_s=self._settings.start_timeout_s)

    def _send(self, wave: Wave) -> None:
        """Send in a thread, so that this one can watch the processes."""
        problems: list[Exception] = []

        def work() -> None:
            try:
                send(wave, shop_url=self._settings.shop_url, check=self._supervisor.check)
            except Exception as problem:  # noqa: BLE001  (raised again, by the thread that waits)
                problems.append(problem)

        thread = threading.Thread(target=work, name="traffic", daemon=True)
        thread.start()
        while thread.is_alive():
            self._supervisor.pause()
        if problems:
            raise problems[0]

    def _wait_for_entries(self, expected: Counter[str], *, since: datetime) -> list[str]:
        """Wait until all that was sent is evaluated; return what is missing when time is over."""
        self._say(f"Waiting until {expected.total()} entries are evaluated")
        deadline = time.monotonic() + self._settings.evaluate_timeout_s
        quiet_polls, missing = 0, ["all"]
        while quiet_polls < QUIET_POLLS and time.monotonic() < deadline:
            self._supervisor.pause(POLL_S)
            missing = self._missing(expected, since=since)
            pending = self._api.status().evaluator_pending_entries
            quiet_polls = quiet_polls + 1 if not missing and not pending else 0
        return missing

    def _wait_for_tasks(self, expected: Counter[str], *, since: datetime) -> None:
        """Wait until the tasks of earlier waves have come: their worker is about to be killed."""
        tasks = Counter({name: n for name, n in expected.items() if task_name(name) != name})
        deadline = time.monotonic() + self._settings.evaluate_timeout_s
        while self._missing(tasks, since=since) and time.monotonic() < deadline:
            self._supervisor.pause(POLL_S)

    def _missing(self, expected: Counter[str], *, since: datetime) -> list[str]:
        came = self._api.entries(since=since)
        return [
            f"{name}: {came_of(came, name)} of {count} entries"
            for name, count in expected.items()
            if came_of(came, name) < count
        ]

    def _result(self, *, since: datetime, incomplete: list[str]) -> Result:
        found, verdict = self._judge(since=since)
        deadline = time.monotonic() + LAST_LOOK_S
        while not verdict.passed and time.monotonic() < deadline:
            self._supervisor.pause(POLL_S)
            found, verdict = self._judge(since=since)
        self._wait_for_proofs(verdict, deadline=deadline)
        return Result(
            release=self._settings.reported_version,
            found=found,
            verdict=verdict,
            incomplete=incomplete,
            ui_url=self._settings.ui_url,
            violations=self._api.violations(),
        )

    def _wait_for_proofs(self, verdict: Verdict, *, deadline: float) -> None:
        """Give the collector time to prove the fixes of what an earlier run found."""
        if verdict.has_problems:
            return
        gone = {
            (pair.pair.rule, task_name(pair.pair.entry))
            for pair in verdict.pairs
            if pair.status == "missing"
        }
        while time.monotonic() < deadline and any(
            each.status in {"open", "regressed"} and (each.rule, task_name(each.entry)) in gone
            for each in self._api.violations()
        ):
            self._supervisor.pause(POLL_S)

    def _judge(self, *, since: datetime) -> tuple[list[Found], Verdict]:
        found = self._api.found(since=since, release=self._settings.reported_version)
        verdict = judge(
            [one.finding for one in found],
            cases=CASES,
            clean=CLEAN,
            rules=self._api.rule_ids(),
            has_problems=self._has_problems,
        )
        return found, verdict


def make_empty(shop_dir: Path) -> None:
    """Make the shop's folder anew: rows as they were, and no tasks in the queue.

    Raises:
        DemoError: there is a folder of that name which the demo has not made.

    """
    marker = shop_dir / MARKER
    if shop_dir.exists() and not marker.exists():
        raise DemoError(
            f"{shop_dir} is not of the demo, which would delete what is in it. "
            "Choose another folder with --data-dir."
        )
    shutil.rmtree(shop_dir, ignore_errors=True)
    shop_dir.mkdir(parents=True)
    marker.touch()


def came_of(came: dict[str, int], name: str) -> int:
    """Entries of a name, whether tasks are known as `run/name` or by their name alone."""
    return sum(count for other, count in came.items() if task_name(other) == task_name(name))


def progress(console: Console) -> Callable[[str], None]:
    """Say what happens, each line with the seconds since the start."""
    started = time.monotonic()

    def say(message: str) -> None:
        elapsed_s = time.monotonic() - started
        console.print(f"[dim]{elapsed_s:5.1f} s[/dim]  {message}", highlight=False, soft_wrap=True)

    return say


def ensure_supported(release: str) -> None:
    if release not in RELEASES:
        raise DemoError(f"There is no release {release}; choose one of {', '.join(RELEASES)}.")
