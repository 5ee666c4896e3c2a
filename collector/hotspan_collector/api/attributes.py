"""Attribute values as they were sent, from the text that the store keeps of them."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.common.v1.common_pb2 import ArrayValue, KeyValueList

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue
    from pydantic import JsonValue

__all__ = ["attributes"]


def attributes(
    keys: Sequence[str], values: Sequence[str], types: Sequence[int]
) -> dict[str, JsonValue]:
    """Return attributes with the types they were sent with.

    Args:
        keys: names, in the order they came.
        values: the text kept of each; base64 for arrays, key-value lists and bytes.
        types: which member of AnyValue each was; as in the table `spans`.

    """
    return {
        key: _restore(value, kind)
        for key, value, kind in sorted(zip(keys, values, types, strict=True), key=lambda a: a[0])
    }


def _restore(text: str, kind: int) -> JsonValue:
    if text in _REDACTED:
        return "[redacted]"
    restore = _BY_TYPE.get(kind)
    return text if restore is None else restore(text)


def _plain(value: AnyValue) -> JsonValue:
    member = value.WhichOneof("value")
    if member is None:
        return None
    plain = _BY_MEMBER.get(member)
    content: JsonValue = getattr(value, member) if plain is None else plain(getattr(value, member))
    return content


def _array(value: ArrayValue) -> JsonValue:
    return [_plain(each) for each in value.values]


def _mapping(value: KeyValueList) -> JsonValue:
    return {each.key: _plain(each.value) for each in value.values}


def _number(value: float) -> JsonValue:
    # JSON has no words for these; OTLP/JSON writes them as text.
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


# What the insert puts in the place of a denied value, of whatever type that was.
_REDACTED = frozenset({"[redacted]", base64.b64encode(b"[redacted]").decode()})

# By the number in `attribute_types`; what is not named stays the text it is.
_BY_TYPE: Mapping[int, Callable[[str], JsonValue]] = {
    0: lambda _: None,
    2: lambda text: text == "true",
    3: int,
    4: lambda text: _number(float(text)),
    5: lambda text: _array(ArrayValue.FromString(base64.b64decode(text))),
    6: lambda text: _mapping(KeyValueList.FromString(base64.b64decode(text))),
}
# By the member of AnyValue; what is not named is a JSON value already.
_BY_MEMBER: Mapping[str, Callable[[Any], JsonValue]] = {
    "double_value": _number,
    "array_value": _array,
    "kvlist_value": _mapping,
    "bytes_value": lambda value: base64.b64encode(value).decode(),
}
