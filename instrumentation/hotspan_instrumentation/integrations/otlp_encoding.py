"""The OTLP exporters: what is encoded again and again is encoded once.

Encoding is most of what an attribute costs, and most of them are the same on hundreds of spans: the
statement, the file, the entry. The exporter's thread takes its time from the requests'.
"""

import functools
from typing import Any, Final

from hotspan_instrumentation.keyed_hash import HASH_ATTRIBUTES

_MAX_REMEMBERED: Final = 2000
_MAX_REMEMBERED_CHARS: Final = 2000

_remembered: dict[tuple[str, type, Any], Any] = {}


def install(module: Any) -> None:  # noqa: ANN401 - a module
    """Remember the encoded form of attributes."""
    original = module._encode_key_value  # noqa: SLF001 - no public way

    @functools.wraps(original)
    def encode_key_value(key: str, value: Any) -> Any:  # noqa: ANN401 - upstream's signature
        kind = type(value)
        if kind is str:
            if len(value) > _MAX_REMEMBERED_CHARS or key in HASH_ATTRIBUTES:
                return original(key, value)
        elif kind is not bool and kind is not int:
            return original(key, value)
        encoded = _remembered.get((key, kind, value))
        if encoded is None:
            if len(_remembered) >= _MAX_REMEMBERED:
                _remembered.clear()
            encoded = _remembered[key, kind, value] = original(key, value)
        return encoded

    module._encode_key_value = encode_key_value  # noqa: SLF001 - likewise


HOOKS: Final = (("opentelemetry.exporter.otlp.proto.common._internal", install),)
