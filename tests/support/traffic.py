"""Clients that send, and what must be stored of what was acknowledged to them."""

import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import httpx

from support.collector import Collector
from support.otlp_requests import request, span
from support.shop_traces import new_trace_id

SPANS_PER_REQUEST = 20
REQUESTS_PER_TRACE = 50


@dataclass
class Traffic:
    """Clients that send until they are told to stop, and remember what was acknowledged."""

    collector: Collector
    acknowledged: list[tuple[str, int]] = field(default_factory=list)
    """Trace and number of each request."""
    _stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._threads = [threading.Thread(target=self._send) for _ in range(4)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, requests: int) -> None:
        """Wait until so many more requests were acknowledged."""
        wanted = len(self.acknowledged) + requests
        self.collector.wait_for(lambda: len(self.acknowledged) >= wanted)

    def _send(self) -> None:
        with httpx.Client(trust_env=False, timeout=30) as client:
            for number in itertools.count():
                if self._stopping.is_set():
                    return
                if number % REQUESTS_PER_TRACE == 0:
                    trace_id = new_trace_id()
                if self._is_taken(client, part(trace_id, number)):
                    self.acknowledged.append((trace_id, number))
                else:
                    time.sleep(0.05)

    def _is_taken(self, client: httpx.Client, body: bytes) -> bool:
        url = f"{self.collector.http_url}/v1/traces"
        try:
            answer = client.post(
                url, content=body, headers={"content-type": "application/x-protobuf"}
            )
        except httpx.TransportError:
            return False
        return (answer.status_code, answer.content) == (200, b"")


def span_ids(number: int) -> list[str]:
    first = number * SPANS_PER_REQUEST + 1
    return [f"{each:016x}" for each in range(first, first + SPANS_PER_REQUEST)]


def part(trace_id: str, number: int, *, at_ns: int = 0) -> bytes:
    """Return one request's share of a trace, of now or of another time."""
    started = at_ns or time.time_ns()
    return request(
        [
            span("GET", trace_id=trace_id, span_id=span_id, start_ns=started, kind=3)
            for span_id in span_ids(number)
        ]
    )


def lost(collector: Collector, acknowledged: Sequence[tuple[str, int]]) -> list[tuple[str, str]]:
    """Return the spans that were acknowledged and are not there."""
    stored: dict[str, set[str]] = {}
    for trace_id in {trace_id for trace_id, _ in acknowledged}:
        trace = collector.trace(trace_id) or {"spans": []}
        stored[trace_id] = {each["span_id"] for each in trace["spans"]}
    return [
        (trace_id, span_id)
        for trace_id, number in acknowledged
        for span_id in span_ids(number)
        if span_id not in stored[trace_id]
    ]


def kill_and_look(collector: Collector, *, rounds: int, requests: int) -> list[str]:
    with Traffic(collector) as traffic:
        for _ in range(rounds):
            traffic.wait_for(requests)
            collector.kill()
            collector.start()
    return lost(collector, traffic.acknowledged)
