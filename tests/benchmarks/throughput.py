"""Spans that a collector with the embedded store acknowledges, with senders on the same machine."""

from payload import SPANS_PER_REQUEST, Payload
from senders import SENDERS, send

from support.collector import Collector

SECONDS = 10


def measure_throughput(collector: Collector) -> dict[str, object]:
    """Send recorded requests, each time with new traces, as fast as they are acknowledged."""
    payload = Payload.recorded()
    sent = send(f"{collector.http_url}/v1/traces", payload, run_s=SECONDS)
    return {
        "senders": SENDERS,
        "spans_per_request": SPANS_PER_REQUEST,
        "bytes_per_span": payload.bytes_per_span,
        "seconds": round(sent.seconds, 1),
        "refused_requests": sent.refused_requests,
        "spans_per_s": round(sent.taken_requests * SPANS_PER_REQUEST / sent.seconds),
    }
