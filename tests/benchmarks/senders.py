"""Clients that send requests as fast as they are answered, on the machine of the collector."""

import threading
import time
from dataclasses import dataclass

import httpx
from payload import Payload

SENDERS = 64


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of what was sent."""

    taken_requests: int
    refused_requests: int
    seconds: float
    """Until the last answer."""


def send(url: str, payload: Payload, *, run_s: float) -> Sent:
    """Send until the time is over, each sender one request after the other."""
    counts = {True: 0, False: 0}
    lock = threading.Lock()
    began = time.monotonic()

    def work() -> None:
        headers = {"content-type": "application/x-protobuf"}
        with httpx.Client(trust_env=False, timeout=60, headers=headers) as client:
            while time.monotonic() < began + run_s:
                answer = client.post(url, content=payload.fresh())
                with lock:
                    counts[answer.status_code == httpx.codes.OK and not answer.content] += 1

    threads = [threading.Thread(target=work) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Sent(counts[True], counts[False], time.monotonic() - began)
