"""Clients that send requests as fast as they are answered, on the machine of the collector."""

import threading
import time
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from urllib.parse import urlsplit

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
    """Send until the time is over, each sender one request after the other.

    Plainly: what a sender takes of the machine the collector has not.
    """
    address = urlsplit(url)
    counts = {True: 0, False: 0}
    lock = threading.Lock()
    began = time.monotonic()

    def work() -> None:
        headers = {"content-type": "application/x-protobuf"}
        connection = HTTPConnection(str(address.hostname), address.port, timeout=60)
        while time.monotonic() < began + run_s:
            connection.request("POST", address.path, payload.fresh(), headers)
            answer = connection.getresponse()
            taken = answer.status == HTTPStatus.OK and not answer.read()
            answer.read()
            with lock:
                counts[taken] += 1
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Sent(counts[True], counts[False], time.monotonic() - began)
