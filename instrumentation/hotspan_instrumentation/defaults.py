"""The values that OpenTelemetry's own variables get when nobody has set them."""

from collections.abc import Mapping, MutableMapping
from types import MappingProxyType

DEFAULTS: Mapping[str, str] = MappingProxyType(
    {
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        # The gRPC exporter's channel does not survive a fork; gunicorn and Celery fork.
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        # The SDK's five seconds are most of what a newcomer waits for the first trace.
        "OTEL_BSP_SCHEDULE_DELAY": "1000",
        "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",
    }
)

# Not "localhost": that may be ::1, and the collector binds 127.0.0.1.
DEFAULT_HTTP_ENDPOINT = "http://127.0.0.1:4318"

_PROTOCOL_VARIABLES = ("OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")


def apply_defaults(environment: MutableMapping[str, str]) -> None:
    """Set what is missing. What the user has set stays as it is, also when it is empty."""
    for name, value in DEFAULTS.items():
        environment.setdefault(name, value)
    if _speaks_http(environment):
        environment.setdefault("OTEL_EXPORTER_OTLP_ENDPOINT", DEFAULT_HTTP_ENDPOINT)


def _speaks_http(environment: Mapping[str, str]) -> bool:
    """Whether the HTTP endpoint can be meant: gRPC has a port, and a default, of its own."""
    chosen = [environment.get(name, "") for name in _PROTOCOL_VARIABLES]
    exporters = environment.get("OTEL_TRACES_EXPORTER", "")
    return not any("grpc" in value for value in [*chosen, exporters])
