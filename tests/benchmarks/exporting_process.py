"""A process with entries that run too many queries: URL EXPORT_DELAY_MS RUNS.

Prints each entry's service and the time of its end, and goes on living, so that spans leave by the
exporter's timer, as in a server.
"""

import random
import sys
import time

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

_QUERIES = 60  # enough to be critical, which opens a violation at its first hit
_ATTRIBUTES = {
    "db.system.name": "sqlite",
    "db.query.text": 'SELECT "name" FROM "shop_customer" WHERE "id" = %s',
}


def main() -> None:
    url, delay_ms, runs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    chance = random.Random(delay_ms)
    for number in range(runs):
        service = f"latency-{delay_ms}-{number}"
        provider = TracerProvider(resource=Resource({"service.name": service}))
        exporter = OTLPSpanExporter(endpoint=f"{url}/v1/traces")
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=delay_ms))
        # Somewhere between two exports, as requests come.
        time.sleep(chance.random() * delay_ms / 1000)
        _run_entry(provider)
        sys.stdout.write(f"{service} {time.time()}\n")
        sys.stdout.flush()
    time.sleep(600)


def _run_entry(provider: TracerProvider) -> None:
    tracer = provider.get_tracer("benchmark")
    with tracer.start_as_current_span("GET orders/", kind=SpanKind.SERVER):
        for _ in range(_QUERIES):
            with tracer.start_as_current_span(
                "SELECT", kind=SpanKind.CLIENT, attributes=_ATTRIBUTES
            ):
                pass


if __name__ == "__main__":
    main()
