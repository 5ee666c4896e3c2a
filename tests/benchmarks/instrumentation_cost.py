"""What the instrumentation costs the demo shop's order list, a page of 212 statements.

    python tests/benchmarks/instrumentation_cost.py [--rounds 5] [--requests 30]

Plain Django, stock OpenTelemetry, and hotspan, each in a process of its own, in turns. Spans are
encoded as for the wire, by the SDK's own thread, and then dropped: CPU time holds all of that.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor
from opentelemetry.sdk._configuration import _OTelSDKConfigurator
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from hotspan_instrumentation.distro import HotspanConfigurator
from hotspan_instrumentation.processors import ExportProcessor

VARIANTS: Final = ("plain", "stock", "hotspan")
QUERIES: Final = 212

_ROOT: Final = Path(__file__).parents[2]
_WARM_UP_REQUESTS: Final = 8


def main() -> None:
    """Print a line for each variant."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=30)
    parser.add_argument("--variant", choices=VARIANTS, help="measure it in this process")
    options = parser.parse_args()
    if options.variant:
        json.dump(measure(options.variant, requests=options.requests), sys.stdout)
    else:
        compare(rounds=options.rounds, requests=options.requests)


def compare(*, rounds: int, requests: int) -> None:
    """Run the variants in turns; keep the best round of each: the others measure the machine."""
    with tempfile.TemporaryDirectory() as folder:
        results = [
            (variant, run(variant, folder=folder, requests=requests))
            for _ in range(rounds)
            for variant in VARIANTS
        ]
    best = {
        variant: {
            name: min(result[name] for of, result in results if of == variant)
            for name in ("cpu_ms", "p50_ms")
        }
        for variant in VARIANTS
    }
    for variant in VARIANTS:
        sys.stdout.write(line(variant, best))


def line(variant: str, best: dict[str, dict[str, float]]) -> str:
    """Return a variant's times, and what a statement costs more than on stock OpenTelemetry."""
    own, stock = best[variant], best["stock"]
    text = f"{variant:<8} p50 {own['p50_ms']:6.1f} ms   CPU {own['cpu_ms']:6.1f} ms a request"
    if variant == "hotspan":
        latency = own["p50_ms"] / stock["p50_ms"] - 1
        query_us = (own["cpu_ms"] - stock["cpu_ms"]) * 1e3 / QUERIES
        text += f"   {latency:+.0%} latency, {query_us:+.1f} us CPU a query, against stock"
    return f"{text}\n"


def run(variant: str, *, folder: str, requests: int) -> dict[str, float]:
    """Measure a variant in a process of its own."""
    command = [sys.executable, __file__, "--variant", variant, "--requests", str(requests)]
    environment = {
        **os.environ,
        "PYTHONPATH": str(_ROOT / "deploy" / "demo"),
        "DJANGO_SETTINGS_MODULE": "shop.settings",
        "SHOP_RELEASE": "1.0.0",
        "SHOP_DATA_DIR": folder,
        "OTEL_TRACES_EXPORTER": "none",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",
        "OTEL_PYTHON_CONFIGURATOR": "hotspan",
    }
    answer = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    result: dict[str, float] = json.loads(answer.stdout)
    return result


def measure(variant: str, *, requests: int) -> dict[str, float]:
    """Ask for the page again and again in this process."""
    if variant != "plain":
        instrument(variant)
    import django  # noqa: PLC0415 - instrumented first
    from django.conf import settings  # noqa: PLC0415 - likewise
    from django.core.management import call_command  # noqa: PLC0415 - likewise
    from django.test import Client  # noqa: PLC0415 - likewise

    django.setup()
    settings.DEBUG = False  # Django's own query log costs more than all that is measured here
    with contextlib.redirect_stdout(sys.stderr):
        call_command("prepare")
    client = Client()

    def ask() -> float:
        started = time.perf_counter()
        client.get("/erp/orders/")
        return (time.perf_counter() - started) * 1e3

    for _ in range(_WARM_UP_REQUESTS):
        ask()
    started_ns = time.process_time_ns()
    times = [ask() for _ in range(requests)]
    cpu_ms = (time.process_time_ns() - started_ns) / 1e6 / requests
    return {"cpu_ms": cpu_ms, "p50_ms": statistics.median(times)}


def instrument(variant: str) -> None:
    """Set OpenTelemetry up as its distro, or ours, would."""

    class Encoding(SpanExporter):
        def export(self, spans):
            encode_spans(spans).SerializeToString()
            return SpanExportResult.SUCCESS

    ours = variant == "hotspan"
    (HotspanConfigurator if ours else _OTelSDKConfigurator)().configure()
    provider = trace.get_tracer_provider()
    provider.add_span_processor((ExportProcessor if ours else BatchSpanProcessor)(Encoding()))
    SQLite3Instrumentor().instrument()
    DjangoInstrumentor().instrument()


if __name__ == "__main__":
    main()
