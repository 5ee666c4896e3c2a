"""Spans that a collector with the embedded store acknowledges, with senders on the same machine."""

import os
import threading
import time
from dataclasses import dataclass, field

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from support import corpus
from support.collector import Collector

SENDERS = 64
SPANS_PER_REQUEST = 512
SECONDS = 10


@dataclass
class _Senders:
    """Threads that send requests until the time is over."""

    url: str
    template: bytes
    trace_ids: list[bytes]
    until: float = 0
    requests: int = 0
    refused: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> float:
        """Send; return the seconds until the last answer."""
        threads = [threading.Thread(target=self._send) for _ in range(SENDERS)]
        began = time.monotonic()
        self.until = began + SECONDS
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.monotonic() - began

    def _send(self) -> None:
        headers = {"content-type": "application/x-protobuf"}
        with httpx.Client(trust_env=False, timeout=30, headers=headers) as client:
            while time.monotonic() < self.until:
                answer = client.post(self.url, content=self._fresh())
                with self._lock:
                    if (answer.status_code, answer.content) == (200, b""):
                        self.requests += 1
                    else:
                        self.refused += 1

    def _fresh(self) -> bytes:
        body = self.template
        for trace_id in self.trace_ids:
            body = body.replace(trace_id, os.urandom(16))
        return body


def measure_throughput(collector: Collector) -> dict[str, object]:
    """Send recorded requests, each time with new traces, as fast as they are acknowledged."""
    template, trace_ids = _template()
    senders = _Senders(f"{collector.http_url}/v1/traces", template, trace_ids)
    seconds = senders.run()
    return {
        "senders": SENDERS,
        "spans_per_request": SPANS_PER_REQUEST,
        "bytes_per_span": len(template) // SPANS_PER_REQUEST,
        "seconds": round(seconds, 1),
        "refused_requests": senders.refused,
        "spans_per_s": round(senders.requests * SPANS_PER_REQUEST / seconds),
    }


def _template() -> tuple[bytes, list[bytes]]:
    """Return the recorded order list, over and over, as one request, and the traces in it."""
    (recorded,) = corpus.scenario("gunicorn-prefork-pg-default__orders")
    (own_trace_id,) = (bytes.fromhex(trace_id) for trace_id in corpus.trace_ids([recorded]))
    bodies: list[bytes] = []
    trace_ids: list[bytes] = []
    left = SPANS_PER_REQUEST
    while left:
        left -= _keep_first(recorded, left)
        trace_ids.append(os.urandom(16))
        bodies.append(recorded.SerializeToString().replace(own_trace_id, trace_ids[-1]))
    return b"".join(bodies), trace_ids


def _keep_first(request: ExportTraceServiceRequest, most: int) -> int:
    """Drop all but so many spans; return how many there are."""
    kept = 0
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            del scope.spans[max(0, most - kept) :]
            kept += len(scope.spans)
    return kept
