"""A span's attributes and events as plain Python values."""

from collections.abc import Iterable
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

Value = str | bool | int | float | list[Any] | None


def attributes(span: Span) -> dict[str, Value]:
    """Return the attributes of a span."""
    return _values(span.attributes)


def starting_with(span: Span, *prefixes: str) -> dict[str, Value]:
    """Return the attributes whose names start so."""
    return {name: value for name, value in attributes(span).items() if name.startswith(prefixes)}


def exceptions(span: Span) -> list[tuple[Value, Value]]:
    """Return type and message of the exceptions that a span records."""
    recorded = [_values(event.attributes) for event in span.events if event.name == "exception"]
    return [(each["exception.type"], each["exception.message"]) for each in recorded]


def _values(items: Iterable[KeyValue]) -> dict[str, Value]:
    return {item.key: _value(item.value) for item in items}


def _value(value: AnyValue) -> Value:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    found: str | bool | int | float = getattr(value, kind)
    return found
