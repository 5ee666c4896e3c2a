"""OpenTelemetry's variables: ours are defaults, and no more."""

import pytest

from hotspan_instrumentation.defaults import DEFAULTS, apply_defaults


def test_nothing_set():
    """Traces go to the collector on this machine; metrics and logs go nowhere."""
    environment: dict[str, str] = {}

    apply_defaults(environment)

    assert environment == {
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_BSP_SCHEDULE_DELAY": "1000",
        "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318",
    }


@pytest.mark.parametrize("name", [*DEFAULTS, "OTEL_EXPORTER_OTLP_ENDPOINT"])
@pytest.mark.parametrize("value", ["theirs", ""])
def test_what_is_set_stays(name, value):
    """A variable that the user has set keeps its value, also an empty one."""
    environment = {name: value}

    apply_defaults(environment)

    assert environment[name] == value


@pytest.mark.parametrize(
    "choice",
    [
        {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
        {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"},
        {"OTEL_TRACES_EXPORTER": "otlp_proto_grpc"},
    ],
)
def test_grpc_keeps_its_own_address(choice):
    """Who chooses gRPC does not get the address of HTTP."""
    environment = dict(choice)

    apply_defaults(environment)

    assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in environment
