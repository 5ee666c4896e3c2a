"""A process that asks the demo shop for its order list, instrumented by one of several: VARIANT.

Reads how many requests to make, a line each time; answers with their CPU time and latencies. What
is recorded leaves by each one's own exporter, to HOTSPAN_BENCH_SINK.
"""

import contextlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from wsgiref.util import setup_testing_defaults

_WARM_UP_REQUESTS = 6

Flush = Callable[[], object]


def main() -> None:
    """Serve turns until the input ends."""
    flush = _VARIANTS[sys.argv[1]]()
    import django  # noqa: PLC0415 - instrumented first
    from django.conf import settings  # noqa: PLC0415 - likewise
    from django.core.management import call_command  # noqa: PLC0415 - likewise
    from django.core.wsgi import get_wsgi_application  # noqa: PLC0415 - likewise

    django.setup()
    settings.DEBUG = False  # Django's own query log costs more than all that is measured here
    with contextlib.redirect_stdout(sys.stderr):
        call_command("prepare")
    application = get_wsgi_application()  # as a server calls it: sentry-sdk begins there

    def ask() -> float:
        environ = {"PATH_INFO": "/erp/orders/", "SERVER_NAME": "127.0.0.1"}
        setup_testing_defaults(environ)
        started = time.perf_counter()
        response = application(environ, _expect_success)
        for _ in response:
            pass
        response.close()
        return (time.perf_counter() - started) * 1e3

    for _ in range(_WARM_UP_REQUESTS):
        ask()
    flush()
    _say({"ready": True})
    for line in sys.stdin:
        requests = int(line)
        started_ns = time.process_time_ns()
        times_ms = [ask() for _ in range(requests)]
        flush()
        cpu_ms = (time.process_time_ns() - started_ns) / 1e6 / requests
        _say({"cpu_ms": cpu_ms, "latency_ms": statistics.median(times_ms)})


def _expect_success(status: str, _headers: object, _error: object = None) -> None:
    if status != "200 OK":
        raise RuntimeError(status)


def _say(answer: dict[str, object]) -> None:
    sys.stdout.write(f"{json.dumps(answer)}\n")
    sys.stdout.flush()


def _plain() -> Flush:
    return lambda: None


def _stock() -> Flush:
    from opentelemetry.sdk._configuration import _OTelSDKConfigurator  # noqa: PLC0415

    os.environ.update(_OPENTELEMETRY | {"OTEL_EXPORTER_OTLP_ENDPOINT": _sink()})
    _OTelSDKConfigurator().configure()
    return _instrument_by_opentelemetry()


def _hotspan() -> Flush:
    from hotspan_instrumentation.distro import (  # noqa: PLC0415
        HotspanConfigurator,
        HotspanDistro,
    )

    os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = _sink()
    HotspanDistro().configure()
    HotspanConfigurator().configure()
    return _instrument_by_opentelemetry()


def _sentry() -> Flush:
    import sentry_sdk  # noqa: PLC0415

    dsn = _sink().replace("://", "://key@") + "/1"
    sentry_sdk.init(dsn=dsn, traces_sample_rate=1.0)
    return sentry_sdk.flush


def _ddtrace() -> Flush:
    os.environ.update(
        {
            "DD_TRACE_AGENT_URL": _sink(),
            "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
            "DD_REMOTE_CONFIGURATION_ENABLED": "false",
        }
    )
    import ddtrace.auto  # noqa: PLC0415

    return ddtrace.tracer.flush


def _instrument_by_opentelemetry() -> Flush:
    from opentelemetry import trace  # noqa: PLC0415
    from opentelemetry.instrumentation.django import DjangoInstrumentor  # noqa: PLC0415
    from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor  # noqa: PLC0415

    SQLite3Instrumentor().instrument()
    DjangoInstrumentor().instrument()
    return trace.get_tracer_provider().force_flush


def _sink() -> str:
    return os.environ["HOTSPAN_BENCH_SINK"]


_OPENTELEMETRY = {
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_LOGS_EXPORTER": "none",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",
}
_VARIANTS: dict[str, Callable[[], Flush]] = {
    "plain": _plain,
    "stock": _stock,
    "hotspan": _hotspan,
    "sentry": _sentry,
    "ddtrace": _ddtrace,
}

if __name__ == "__main__":
    main()
