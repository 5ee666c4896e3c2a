"""Says which text of a request is not UTF-8: protobuf's parser only says that one is not."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from google.protobuf.descriptor import FieldDescriptor

from hotspan_collector.errors import MalformedRequestError
from hotspan_collector.ingest.wire import fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor import Descriptor

__all__ = ["find_invalid_text"]

# Looking costs a microsecond a field; a request made to be slow must not be.
_MAX_FIELDS = 200_000


def find_invalid_text(message: Descriptor, body: bytes) -> str:
    """Return the path of the first text that is not UTF-8, or nothing when none is found.

    Args:
        message: what the bytes should be.
        body: the bytes.

    """
    looked = count()
    try:
        return next(_invalid(message, body, 0, len(body), looked), "")
    except (MalformedRequestError, RecursionError):
        return ""


def _invalid(
    message: Descriptor | None, body: bytes, start: int, end: int, looked: count[int]
) -> Iterator[str]:
    places: dict[int, int] = {}
    for number, _, begin, close in fields(body, start, end):
        if next(looked) > _MAX_FIELDS:
            return
        field = message.fields_by_number.get(number) if message else None
        if field is None:
            continue
        place = places[number] = places.get(number, -1) + 1
        name = f"{field.name}[{place}]" if field.is_repeated else str(field.name)
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for inner in _invalid(field.message_type, body, begin, close, looked):
                yield f"{name}.{inner}"
        elif field.type == FieldDescriptor.TYPE_STRING and not _is_text(body[begin:close]):
            yield name


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
