"""Protobuf's wire format, walked without building messages: for requests too large to trust.

A message of 2 bytes becomes an object of a hundred. What walks here allocates nothing, and stops
when it is told to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotspan_collector.errors import MalformedRequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["field", "fields"]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# No message of OTLP's traces has more than ten; passing over millions takes seconds.
_MAX_SCALARS = 1_000


def fields(body: bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield the length-delimited fields between two places.

    Yields:
        number of the field, where its tag begins, where its content begins, where that ends.

    Raises:
        MalformedRequestError: it is not protobuf.

    """
    at = start
    scalars = 0
    while at < end:
        begin = at
        tag, at = _varint(body, at, end)
        kind = tag & 7
        scalars += kind != _BYTES
        if scalars > _MAX_SCALARS or tag < 8:  # noqa: PLR2004 (there is no field 0)
            raise _malformed(begin, "there are fields that OTLP does not have")
        if kind == _BYTES:
            length, at = _varint(body, at, end)
            if length > end - at:
                raise _malformed(begin, "a field ends behind its message")
            yield tag >> 3, begin, at, at + length
            at += length
        elif kind == _VARINT:
            _, at = _varint(body, at, end)
        elif kind in {_FIXED64, _FIXED32}:
            at += 8 if kind == _FIXED64 else 4
        else:
            raise _malformed(begin, f"wire type {kind} is not used in OTLP")
    if at > end:
        raise _malformed(end, "a field ends behind its message")


def field(number: int, content: bytes) -> bytes:
    """Return a length-delimited field."""
    return _encoded(number << 3 | _BYTES) + _encoded(len(content)) + content


def _varint(body: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    for place in range(at, min(at + 10, end)):
        byte = body[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 (the last byte of a varint)
            return value, place + 1
        shift += 7
    raise _malformed(at, "a number does not end")


def _encoded(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:  # noqa: PLR2004 (seven bits a byte)
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _malformed(at: int, why: str) -> MalformedRequestError:
    return MalformedRequestError(
        f"The body is not an ExportTraceServiceRequest in protobuf: at byte {at}, {why}. "
        "Check the content type."
    )
