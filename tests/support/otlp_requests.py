"""OTLP requests as an instrumented Django or Celery process would send them."""

import time
from collections.abc import Mapping, Sequence

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    InstrumentationScope,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

MILLISECOND_NS = 1_000_000


def now_ns() -> int:
    """Return a time that is a whole number of milliseconds."""
    return time.time_ns() // MILLISECOND_NS * MILLISECOND_NS


def any_value(value: object) -> AnyValue:  # noqa: PLR0911 (a member a type)
    """Return a value as OTLP has it."""
    match value:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case str():
            return AnyValue(string_value=value)
        case Mapping():
            return AnyValue(kvlist_value=KeyValueList(values=key_values(value)))
        case Sequence():
            return AnyValue(array_value=ArrayValue(values=[any_value(each) for each in value]))
        case _:
            raise TypeError(value)


def key_values(values: Mapping[str, object]) -> list[KeyValue]:
    """Return attributes as OTLP has them."""
    return [KeyValue(key=key, value=any_value(value)) for key, value in values.items()]


def span(
    name: str,
    *,
    trace_id: str,
    span_id: str,
    start_ns: int,
    duration_ms: float = 1,
    parent: str = "",
    kind: "Span.SpanKind.ValueType" = Span.SPAN_KIND_INTERNAL,
    error: str = "",
    attributes: Mapping[str, object] | None = None,
    events: Sequence[Span.Event] = (),
    links: Sequence[Span.Link] = (),
) -> Span:
    """Return a span; ids are hex."""
    return Span(
        trace_id=bytes.fromhex(trace_id),
        span_id=bytes.fromhex(span_id),
        parent_span_id=bytes.fromhex(parent),
        name=name,
        kind=kind,
        start_time_unix_nano=start_ns,
        end_time_unix_nano=start_ns + round(duration_ms * MILLISECOND_NS),
        status=Status(code=Status.STATUS_CODE_ERROR, message=error) if error else Status(),
        attributes=key_values(attributes or {}),
        events=events,
        links=links,
    )


def request(
    spans: Sequence[Span],
    *,
    service: str = "shop",
    environment: str = "production",
    version: str = "1.0.0",
    resource: Mapping[str, object] | None = None,
) -> bytes:
    """Return spans of one process as a serialized request."""
    described = {
        "service.name": service,
        "service.version": version,
        "deployment.environment.name": environment,
        **(resource or {}),
    }
    scope = InstrumentationScope(name="opentelemetry.instrumentation.django", version="0.66b1")
    return ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(
                resource=Resource(attributes=key_values(described)),
                scope_spans=[ScopeSpans(scope=scope, spans=spans)],
            )
        ]
    ).SerializeToString()
