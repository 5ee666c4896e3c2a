"""Hashes that tell whether two values are the same, and nothing else about them.

Keyed, so that nobody who reads the spans can try values until one fits.
"""

import datetime as dt
import decimal
import hashlib
import os
import secrets
import uuid
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Final

from hotspan_instrumentation.settings import HASH_KEY_VARIABLE

# The attributes that hold hashes.
PARAM_HASH: Final = "hotspan.db.param_hash"
SOURCE_KEY: Final = "hotspan.orm.source_key"
TARGET_KEY: Final = "hotspan.orm.target_key"
HASH_ATTRIBUTES: Final = frozenset({PARAM_HASH, SOURCE_KEY, TARGET_KEY})
PARAM_HASHES: Final = "hotspan.db.param_hashes"

# Two values are what nested loops differ in; more parameters than these have no such meaning.
MAX_PARAM_HASHES: Final = 8
_PARAM_HASH_CHARS: Final = 8
_MAX_USUAL_CHARS: Final = 100

_DIGEST_BYTES: Final = 8
_MAX_KEY_BYTES: Final = 64

# Hashing takes a microsecond a kilobyte; of longer values the length, the start and the end count.
_MAX_VALUE_CHARS: Final = 4096

# What these look like depends on their value alone, in every process. Of other types that is not
# known, and to look at an unknown object may run the user's code, or a query.
_PLAIN: Final = frozenset(
    {
        *(bool, int, float, type(None), decimal.Decimal, uuid.UUID),
        *(dt.datetime, dt.date, dt.time, dt.timedelta),
    }
)
_TEXTS: Final = frozenset({str, bytes})
_USUAL_KEYS: Final = frozenset({int, str, uuid.UUID})
UNCHANGING_KEYS: Final = _USUAL_KEYS | {type(None)}


def share_hash_key() -> None:
    """Have this process and those it starts use one key, made now if the user has set none."""
    os.environ.setdefault(HASH_KEY_VARIABLE, secrets.token_hex(16))


def keyed_hash(text: str) -> str:
    """Return 64 bits that depend on a text and the key, in hexadecimal."""
    hasher = _keyed_hasher().copy()
    hasher.update(text.encode("utf-8", "surrogatepass"))
    digest: str = hasher.hexdigest()
    return digest


def is_usual(value: object) -> bool:
    """Whether a value may be looked at later: it cannot change, and is not large."""
    kind = type(value)
    return kind is int or (kind is str and len(value) <= _MAX_USUAL_CHARS)  # type: ignore[arg-type]


def hash_of_values(values: object, *, literals: Sequence[str] = ()) -> str | None:
    """Return the hash of a statement's parameters, and of the literals that stood in its text.

    None if one of them is of a type that must not be looked at.
    """
    if isinstance(values, (tuple, list)) and len(values) == 1:
        value = values[0]
        kind = type(value)
        if kind is int or (kind is str and len(value) <= _MAX_USUAL_CHARS):
            return _hash_of_usual_values(value, tuple(literals))
    return _hash_of_values(values, literals)


# Most statements have one parameter, and the keys of objects come again and again.
@lru_cache(maxsize=4096, typed=True)
def _hash_of_usual_values(value: int | str, literals: tuple[str, ...]) -> str | None:
    return _hash_of_values((value,), literals)


def _hash_of_values(values: object, literals: Sequence[str]) -> str | None:
    text = _described(values) if values else "()"
    if text is None:
        return None
    return keyed_hash(f"{text}{literals!r}" if literals else text)


def hashes_of_values(values: object) -> tuple[str, ...] | None:
    """Return a hash of each of the first parameters, of 32 bits.

    None if there are fewer than two, or one of them is of a type that must not be looked at.
    """
    if not isinstance(values, (tuple, list)) or len(values) < 2:  # noqa: PLR2004 - see above
        return None
    hashes = []
    for value in values[:MAX_PARAM_HASHES]:
        kind = type(value)
        if kind is int or (kind is str and len(value) <= _MAX_USUAL_CHARS):
            hashes.append(_hash_of_usual_value(value))
        else:
            text = _describe(value)
            if text is None:
                return None
            hashes.append(keyed_hash(text)[:_PARAM_HASH_CHARS])
    return tuple(hashes)


# Nested loops come by the same values again and again.
@lru_cache(maxsize=4096, typed=True)
def _hash_of_usual_value(value: int | str) -> str:
    return keyed_hash(repr(value))[:_PARAM_HASH_CHARS]


def hash_of_key(model: str, value: object) -> str | None:
    """Return the hash that stands for an instance: of its model and its primary key."""
    if type(value) in _USUAL_KEYS:
        return _hash_of_usual_key(model, value)
    text = _described((value,))
    return None if text is None else keyed_hash(f"{model}:{text}")


# An object is walked from and to many times in one request.
@lru_cache(maxsize=4096, typed=True)
def _hash_of_usual_key(model: str, value: object) -> str | None:
    text = _described((value,))
    return None if text is None else keyed_hash(f"{model}:{text}")


def _described(values: object) -> str | None:
    if isinstance(values, Mapping):
        values = [part for key in sorted(values, key=str) for part in (str(key), values[key])]
    if not isinstance(values, (tuple, list)):
        return None
    for value in values:
        kind = type(value)
        if kind not in _PLAIN and (kind not in _TEXTS or len(value) > _MAX_VALUE_CHARS):
            return _described_one_by_one(values)
    # A list and a tuple of the same values are the same parameters.
    return repr(values)[1:-1].rstrip(",")


def _described_one_by_one(values: Sequence[object]) -> str | None:
    texts = []
    for value in values:
        text = _describe(value)
        if text is None:
            return None
        texts.append(text)
    return ", ".join(texts)


def _describe(value: Any) -> str | None:  # noqa: ANN401 - whatever a driver takes
    text: str | None = None
    if type(value) in _PLAIN:
        text = repr(value)
    elif isinstance(value, str):
        text = repr(_shortened(str.__str__(value)))
    elif isinstance(value, (bytes, bytearray, memoryview)):
        text = repr(_shortened(bytes(value)))
    elif isinstance(value, int):  # an enumeration's, or a driver's own
        text = int.__repr__(value)
    elif isinstance(value, (list, tuple, Mapping)):
        inner = _described(value)
        text = None if inner is None else f"[{inner}]"
    elif type(value).__module__.startswith("psycopg") and hasattr(value, "obj"):
        text = _describe(value.obj)  # what Django hands over for JSON fields
    return text


def _shortened(value: Any) -> Any:  # noqa: ANN401 - text or bytes
    if len(value) <= _MAX_VALUE_CHARS:
        return value
    half = _MAX_VALUE_CHARS // 2
    return (len(value), value[:half], value[-half:])


@cache
def _keyed_hasher() -> Any:  # noqa: ANN401 - hashlib's type has no name
    share_hash_key()
    key = os.environ[HASH_KEY_VARIABLE].encode()
    if len(key) > _MAX_KEY_BYTES:
        key = hashlib.blake2b(key).digest()
    return hashlib.blake2b(digest_size=_DIGEST_BYTES, key=key)
