"""The values that OpenTelemetry's own variables get when nobody has set them."""

from collections.abc import Mapping, MutableMapping
from types import MappingProxyType

DEFAULTS: Mapping[str, str] = MappingProxyType(
    {
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        # The SDK's five seconds are most of what a newcomer waits for the first trace.
        "OTEL_BSP_SCHEDULE_DELAY": "1000",
        "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",
    }
)

# HTTP, because the gRPC exporter's channel does not survive a fork, and gunicorn and Celery fork.
# Not "localhost": that may be ::1, and the collector binds 127.0.0.1.
DEFAULT_HTTP_ENDPOINT = "http://127.0.0.1:4318"

_TRANSPORT_VARIABLES = (
    "OTEL_TRACES_EXPORTER",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
)


def apply_defaults(environment: MutableMapping[str, str]) -> None:
    """Set what is missing. What the user has set stays as it is, also when it is empty."""
    for name, value in DEFAULTS.items():
        environment.setdefault(name, value)
    # gRPC has a port, and a default endpoint, of its own.
    if not any("grpc" in environment.get(name, "") for name in _TRANSPORT_VARIABLES):
        environment.setdefault("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        environment.setdefault("OTEL_EXPORTER_OTLP_ENDPOINT", DEFAULT_HTTP_ENDPOINT)
