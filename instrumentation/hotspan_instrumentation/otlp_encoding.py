"""Spans as OTLP's bytes, put together from parts that are encoded once.

Encoding is most of what a span costs, and its thread takes the time from the requests'. A
statement, a file, an entry is the same on hundreds of spans; the rest of a usual span has a fixed
form. A message of protobuf is its fields one after the other, so that bytes can be joined. Spans
with events, links or a state go the SDK's way.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from opentelemetry.exporter.otlp.proto.common._internal import (
    _encode_instrumentation_scope,
    _encode_key_value,
    _encode_resource,
)
from opentelemetry.exporter.otlp.proto.common._internal.trace_encoder import _encode_span
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from hotspan_instrumentation.attribute_group import AttributeGroup
from hotspan_instrumentation.keyed_hash import HASH_ATTRIBUTES
from hotspan_instrumentation.statement_facts import RETURNED_ROWS
from hotspan_instrumentation.statement_span import is_direct

_MAX_REMEMBERED: Final = 2000
_MAX_REMEMBERED_CHARS: Final = 2000

# The fields of opentelemetry/proto/trace/v1/trace.proto, each with its wire type.
_REQUEST_RESOURCE_SPANS: Final = b"\x0a"
_RESOURCE_SCOPE_SPANS: Final = b"\x12"
_SCOPE_SPANS: Final = b"\x12"
_SPAN_NAME: Final = b"\x2a"
_SPAN_ATTRIBUTES: Final = b"\x4a"
_KEY_VALUE_KEY: Final = b"\x0a"
_KEY_VALUE_VALUE: Final = b"\x12"
_ANY_STRING: Final = b"\x0a"
_ANY_INT: Final = b"\x18"
_ANY_BOOL: Final = b"\x10"
_IDS: Final = struct.Struct(">2s16s2sQ")  # trace_id, span_id
_PARENT_ID: Final = struct.Struct(">2sQ")
_TIMES: Final = struct.Struct("<2scQcQ")  # kind, start, end
_NO_STATUS_AND_FLAGS: Final = struct.Struct("<2s2sI")
_KINDS: Final = {kind: bytes((0x30, kind.value + 1)) for kind in SpanKind}
_CLIENT: Final = _KINDS[SpanKind.CLIENT]
_HAS_IS_REMOTE: Final = 0x100
_IS_REMOTE: Final = 0x200

_LENGTHS: Final = tuple(bytes((length,)) for length in range(0x80))

_attributes: dict[tuple[str, type, Any], bytes] = {}
_names: dict[str, bytes] = {}
_keys: dict[str, bytes] = {}


def encode_request(spans: Sequence[ReadableSpan]) -> bytes:
    """Return an ExportTraceServiceRequest with the spans, by resource and scope."""
    grouped: dict[int, dict[int, list[ReadableSpan]]] = {}
    for span in spans:
        scopes = grouped.setdefault(id(span.resource), {})
        scopes.setdefault(id(span.instrumentation_scope), []).append(span)
    return b"".join(
        _framed(_REQUEST_RESOURCE_SPANS, _resource_spans(list(scopes.values())))
        for scopes in grouped.values()
    )


def _resource_spans(scopes: Sequence[Sequence[ReadableSpan]]) -> bytes:
    resource = scopes[0][0].resource
    head = ResourceSpans(resource=_encode_resource(resource), schema_url=resource.schema_url)
    return head.SerializeToString() + b"".join(
        _framed(_RESOURCE_SCOPE_SPANS, _scope_spans(spans)) for spans in scopes
    )


def _scope_spans(spans: Sequence[ReadableSpan]) -> bytes:
    scope = spans[0].instrumentation_scope
    head = ScopeSpans(
        scope=_encode_instrumentation_scope(scope),  # type: ignore[arg-type]  # it takes None
        schema_url=scope.schema_url or "" if scope else "",
    )
    parts = [head.SerializeToString()]
    place: _Place | None = None
    for span in spans:
        if is_direct(span):
            parent = span._parent  # noqa: SLF001 - the SDK's private fields: its public ones copy
            if place is None or place.parent is not parent:  # one request's come together
                place = _Place(parent)
            encoded = _statement(span, place)
        else:
            encoded = _span(span)
        parts += (_SCOPE_SPANS, _length(len(encoded)), encoded)
    return b"".join(parts)


class _Place:
    """What the children of a span have in common."""

    __slots__ = ("end", "has_state", "ids", "parent")

    def __init__(self, parent: Any) -> None:  # noqa: ANN401 - a SpanContext
        self.parent = parent
        self.has_state = bool(parent.trace_state)
        self.ids = (
            b"\x0a\x10" + parent.trace_id.to_bytes(16, "big") + b"\x12\x08",
            _PARENT_ID.pack(b"\x22\x08", parent.span_id),
        )
        flags = _HAS_IS_REMOTE | (_IS_REMOTE if parent.is_remote else 0)
        self.end = _NO_STATUS_AND_FLAGS.pack(b"\x7a\x00", b"\x85\x01", flags)


def _statement(span: Any, place: _Place) -> bytes:  # noqa: ANN401 - by private fields
    """Encode one of our own spans, by what it has in common with others."""
    if span.hotspan_made is not None or place.has_state or not span.is_simple:
        return _span(span)
    facts = span.hotspan_facts
    trace_id, parent_id = place.ids
    name = span._name  # noqa: SLF001 - likewise
    parts = [
        trace_id,
        span.hotspan_span_id.to_bytes(8, "big"),
        parent_id,
        _names.get(name) or _remember_name(name),
        _TIMES.pack(_CLIENT, b"\x39", span._start_time, b"\x41", span._end_time),  # noqa: SLF001
    ]
    parts += [group.encoded or _encode_group(group) for group in facts.groups()]
    rows = facts.rows
    if rows is not None:
        key = (RETURNED_ROWS, int, rows)
        parts.append(_attributes.get(key) or _encode_attribute(*key))
    parts.append(place.end)
    return b"".join(parts)


def _encode_group(group: AttributeGroup) -> bytes:
    parts: list[bytes] = []
    _add_attributes(parts, group.attributes)
    group.encoded = b"".join(parts)
    return group.encoded


def _span(span: Any) -> bytes:  # noqa: ANN401 - by private fields
    context = span._context  # noqa: SLF001 - likewise
    if context.trace_state or not span.end_time or not _is_simple(span):
        return _encode_span(span).SerializeToString()
    parent = span._parent  # noqa: SLF001
    name = span._name  # noqa: SLF001
    flags = _HAS_IS_REMOTE
    parts = [
        _IDS.pack(b"\x0a\x10", context.trace_id.to_bytes(16, "big"), b"\x12\x08", context.span_id)
    ]
    if parent:
        parts.append(_PARENT_ID.pack(b"\x22\x08", parent.span_id))
        if parent.is_remote:
            flags |= _IS_REMOTE
    parts += (
        _names.get(name) or _remember_name(name),
        _TIMES.pack(_KINDS[span._kind], b"\x39", span._start_time, b"\x41", span._end_time),  # noqa: SLF001
    )
    _add_attributes(parts, span._attributes)  # noqa: SLF001
    parts.append(_NO_STATUS_AND_FLAGS.pack(b"\x7a\x00", b"\x85\x01", flags))
    return b"".join(parts)


def _is_simple(span: Any) -> bool:  # noqa: ANN401 - likewise
    """Whether a span has attributes only."""
    if getattr(span, "is_simple", False):  # one of ours knows, and would make what it is asked for
        return not span.dropped_attributes
    status = span._status  # noqa: SLF001
    return not (
        len(span._events)  # noqa: SLF001
        or len(span._links)  # noqa: SLF001
        or status.status_code is not StatusCode.UNSET
        or status.description
        or span.dropped_attributes
        or span.dropped_events
        or span.dropped_links
    )


def _add_attributes(parts: list[bytes], attributes: Mapping[str, Any] | None) -> None:
    known = getattr(attributes, "_dict", attributes)
    if not known:
        return
    for key, value in known.items():
        kind = type(value)
        encoded = _attributes.get((key, kind, value)) if kind in _HASHABLE else None
        parts.append(encoded or _encode_attribute(key, kind, value))


_HASHABLE: Final = frozenset({str, bool, int})


def _encode_attribute(key: str, kind: type, value: Any) -> bytes:  # noqa: ANN401 - an attribute's
    """Encode an attribute, and remember it if it is likely to come again."""
    if kind is str:
        text = value.encode()
        encoded = _key_value(key, b"".join((_ANY_STRING, _length(len(text)), text)))
        if len(value) > _MAX_REMEMBERED_CHARS or key in HASH_ATTRIBUTES:
            return encoded
    elif kind is bool:
        encoded = _key_value(key, _ANY_BOOL + (b"\x01" if value else b"\x00"))
    elif kind is int and value >= 0:
        encoded = _key_value(key, _ANY_INT + _length(value))
    else:
        return _framed(_SPAN_ATTRIBUTES, _encode_key_value(key, value).SerializeToString())
    if len(_attributes) >= _MAX_REMEMBERED:
        _attributes.clear()
    _attributes[key, kind, value] = encoded
    return encoded


def _key_value(key: str, value: bytes) -> bytes:
    head = _keys.get(key)
    if head is None:
        if len(_keys) >= _MAX_REMEMBERED:
            _keys.clear()
        head = _keys[key] = _framed(_KEY_VALUE_KEY, key.encode()) + _KEY_VALUE_VALUE
    size = _length(len(value))
    return b"".join(
        (_SPAN_ATTRIBUTES, _length(len(head) + len(size) + len(value)), head, size, value)
    )


def _remember_name(name: str) -> bytes:
    if len(_names) >= _MAX_REMEMBERED:
        _names.clear()
    encoded = _names[name] = _framed(_SPAN_NAME, name.encode())
    return encoded


def _framed(field: bytes, content: bytes) -> bytes:
    return b"".join((field, _length(len(content)), content))


def _length(number: int) -> bytes:
    """Return a number as protobuf's varint."""
    if number < 0x80:  # noqa: PLR2004 - seven bits a byte
        return _LENGTHS[number]
    if number < 0x4000:  # noqa: PLR2004 - likewise
        return bytes((number & 0x7F | 0x80, number >> 7))
    return b"".join(_seven_bits(number))


def _seven_bits(number: int) -> Iterable[bytes]:
    while number >= 0x80:  # noqa: PLR2004 - likewise
        yield bytes((number & 0x7F | 0x80,))
        number >>= 7
    yield bytes((number,))
