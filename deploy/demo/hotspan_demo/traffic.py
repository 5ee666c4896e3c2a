"""The demo's traffic: what triggers the cases, and what must lead to nothing."""

from __future__ import annotations

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

__all__ = ["Plan", "plan", "send"]

JOBS_ENTRY = "POST erp/jobs/"
# The shop has two web workers: one is busy with what is slow, the other with all the rest.
SLOW_ENTRIES = frozenset({"POST chat/conversations/<int:pk>/answer/"})
# In 1.0.0 this holds a transaction open for seconds, so that others who write would wait.
LOCKING_ENTRIES = frozenset({"POST erp/orders/<int:pk>/confirm/"})
REQUEST_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Plan:
    """What is sent: jobs first, then two lanes of requests side by side, then the last lane."""

    jobs: Sequence[TaskRuns]
    lanes: Sequence[Sequence[Request]]
    last: Sequence[Request]

    def expected_entries(self, *, release_has_problems: bool) -> Counter[str]:
        """How many entries of each name the collector must have when all has come."""
        expected = Counter({JOBS_ENTRY: len(self.jobs)})
        for request in (*(request for lane in self.lanes for request in lane), *self.last):
            expected[request.entry] += request.times
        for job in self.jobs:
            if job.finishes or not release_has_problems:
                expected[job.entry] += len(job.runs)
        return expected


def plan() -> Plan:
    """Everything that cases and clean pages ask for."""
    triggers = [*(clean.trigger for clean in CLEAN), *(t for case in CASES for t in case.triggers)]
    requests = [trigger for trigger in triggers if isinstance(trigger, Request)]
    jobs = [trigger for trigger in triggers if isinstance(trigger, TaskRuns)]
    slow = [request for request in requests if request.entry in SLOW_ENTRIES]
    last = [request for request in requests if request.entry in LOCKING_ENTRIES]
    quick = [request for request in requests if request not in slow and request not in last]
    # What ends its worker comes last, so that it takes no other task with it.
    return Plan(jobs=sorted(jobs, key=lambda job: not job.finishes), lanes=(quick, slow), last=last)


def send(traffic: Plan, *, shop_url: str, check: Callable[[], None]) -> None:
    """Send all of it.

    Args:
        traffic: What to send.
        shop_url: Where the shop answers.
        check: Called before each request, in the thread that sends it; may raise to stop.

    Raises:
        DemoError: the shop answered with what no case expects.

    """
    with httpx.Client(base_url=shop_url, timeout=REQUEST_TIMEOUT_S, trust_env=False) as client:
        for job in traffic.jobs:
            check()
            ask(client, start(job))
        with ThreadPoolExecutor(max_workers=len(traffic.lanes)) as pool:
            lanes = [pool.submit(drive, client, lane, check) for lane in traffic.lanes]
            for lane in lanes:
                lane.result()
        drive(client, traffic.last, check)


def start(job: TaskRuns) -> Request:
    """The request that publishes a task."""
    body: dict[str, object] = {"task": job.task, "runs": job.runs}
    return Request(method="POST", path="/erp/jobs/", entry=JOBS_ENTRY, body=body)


def drive(client: httpx.Client, lane: Sequence[Request], check: Callable[[], None]) -> None:
    for request in rounds(lane):
        check()
        ask(client, request)


def rounds(lane: Sequence[Request]) -> Iterator[Request]:
    """All pages once, then all that come twice again, and so on: as a day's traffic mixes them."""
    for turn in range(max((request.times for request in lane), default=0)):
        yield from (request for request in lane if request.times > turn)


def ask(client: httpx.Client, request: Request) -> None:
    try:
        answer = client.request(
            request.method, request.path, json=request.body, headers=request.headers
        )
    except httpx.HTTPError as error:
        raise DemoError(f"{request.method} {request.path} got no answer: {error!r}") from error
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise DemoError(f"{request.method} {request.path} answered {answer.status_code}.")
