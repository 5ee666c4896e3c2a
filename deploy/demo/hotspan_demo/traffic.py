"""The demo's traffic: what triggers the cases, and what must lead to nothing."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from hotspan_demo.cases import CASES, CLEAN
from hotspan_demo.errors import DemoError
from hotspan_demo.model import Request, TaskRuns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["Wave", "send", "waves"]

JOBS_ENTRY = "POST erp/jobs/"
# As many as the shop has web workers.
SENDERS = 2
# In 1.0.0 this holds a transaction open for seconds, so that others who write would wait.
LOCKING_ENTRIES = frozenset({"POST erp/orders/<int:pk>/confirm/"})
REQUEST_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """What is sent together: jobs first, then requests, by one sender or several at a time."""

    what: str
    jobs: Sequence[TaskRuns]
    requests: Sequence[Request]
    senders: int

    def expected_entries(self, *, release_has_problems: bool) -> Counter[str]:
        """How many entries of each name the collector must have when all has come."""
        expected = Counter({JOBS_ENTRY: len(self.jobs)})
        for request in self.requests:
            expected[request.entry] += request.times
        for job in self.jobs:
            expected[job.entry] += len(job.runs) * (job.entries if release_has_problems else 1)
        return expected


def waves() -> tuple[Wave, ...]:
    """Everything that cases and clean pages ask for.

    A wave may go only when the entries of the one before have come: the last ends the workers'
    processes, and with them the spans that these have not sent yet and the tasks that wait there
    for another try.
    """
    triggers = [*(clean.trigger for clean in CLEAN), *(t for case in CASES for t in case.triggers)]
    requests = [trigger for trigger in triggers if isinstance(trigger, Request)]
    jobs = [trigger for trigger in triggers if isinstance(trigger, TaskRuns)]
    return (
        Wave(
            what="requests and tasks",
            jobs=[job for job in jobs if job.entries],
            requests=[request for request in requests if request.entry not in LOCKING_ENTRIES],
            senders=SENDERS,
        ),
        Wave(
            what="tasks that end their worker's process, and requests that hold locks",
            jobs=[job for job in jobs if not job.entries],
            requests=[request for request in requests if request.entry in LOCKING_ENTRIES],
            senders=1,
        ),
    )


def send(wave: Wave, *, shop_url: str, check: Callable[[], None]) -> None:
    """Send all of it.

    Args:
        wave: What to send.
        shop_url: Where the shop answers.
        check: Called before each request, in the thread that sends it; may raise to stop.

    Raises:
        DemoError: the shop answered with what no case expects.

    """
    with httpx.Client(base_url=shop_url, timeout=REQUEST_TIMEOUT_S, trust_env=False) as client:
        for job in wave.jobs:
            check()
            ask(client, start(job))
        queue = rounds(wave.requests)
        lock = threading.Lock()
        with ThreadPoolExecutor(max_workers=wave.senders) as pool:
            senders = [
                pool.submit(drive, client, take(queue, lock), check) for _ in range(wave.senders)
            ]
            for sender in senders:
                sender.result()


def start(job: TaskRuns) -> Request:
    """The request that publishes a task."""
    body: dict[str, object] = {"task": job.task, "runs": job.runs}
    return Request(method="POST", path="/erp/jobs/", entry=JOBS_ENTRY, body=body)


def take(queue: Iterator[Request], lock: threading.Lock) -> Iterator[Request]:
    """Take from a queue that others take from, too."""
    while True:
        with lock:
            request = next(queue, None)
        if request is None:
            return
        yield request


def drive(client: httpx.Client, requests: Iterator[Request], check: Callable[[], None]) -> None:
    for request in requests:
        check()
        ask(client, request)


def rounds(pages: Sequence[Request]) -> Iterator[Request]:
    """All pages once, then all that come twice again, and so on: as a day's traffic mixes them."""
    for turn in range(max((page.times for page in pages), default=0)):
        yield from (page for page in pages if page.times > turn)


def ask(client: httpx.Client, request: Request) -> None:
    try:
        answer = client.request(
            request.method, request.path, json=request.body, headers=request.headers
        )
    except httpx.HTTPError as error:
        raise DemoError(f"{request.method} {request.path} got no answer: {error!r}") from error
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise DemoError(f"{request.method} {request.path} answered {answer.status_code}.")
