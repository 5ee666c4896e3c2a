"""Where a page of a search ended, as an opaque text."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from hotspan_collector.api.problems import BadParameterError

__all__ = ["Cursor"]

_TEXT = re.compile(r"(\d{1,19})\.([0-9a-f]{32})\.([0-9a-f]{16})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """The last entry of a page; the next page begins after it."""

    start_ns: int
    trace_id: str
    entry_span_id: str

    def encode(self) -> str:
        """Return it as text for a URL."""
        text = f"{self.start_ns}.{self.trace_id}.{self.entry_span_id}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> Cursor:
        """Read what `encode` wrote.

        Raises:
            BadParameterError: it was not written by `encode`.

        """
        try:
            plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
        except (binascii.Error, ValueError):
            plain = ""
        match = _TEXT.fullmatch(plain)
        if match is None:
            raise BadParameterError(
                f"query parameter cursor = {text!r}: expected next_cursor of an earlier answer."
            )
        return cls(start_ns=int(match[1]), trace_id=match[2], entry_span_id=match[3])
