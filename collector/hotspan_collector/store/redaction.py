"""What is taken out of spans before they are stored: expressions for the insert's SELECT."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from hotspan_collector.sql import literal, load_blocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["NO_REDACTION", "Redaction"]

_BLOCKS = {
    name: "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    for name, text in load_blocks(__package__ or "", "redaction.sql").items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """What to take out."""

    sql: bool
    errors: bool
    urls: bool
    attributes: Sequence[str]
    """Names of attributes whose values go, with * for any text; capitals do not matter."""
    key: str = ""
    """Of the hashes that masked texts keep."""

    def expressions(self) -> Mapping[str, str]:
        """Return what the insert's statement leaves open."""
        plain, quoting = (
            _BLOCKS["sql"].replace("{quoted}", _BLOCKS[name])
            for name in ("names_in_quotes", "text_in_quotes")
        )
        return {
            "{denied}": literal(_pattern(self.attributes)),
            "{sql}": self._marked(plain, " -- redacted ") if self.sql else "v",
            "{quoting_sql}": self._marked(quoting, " -- redacted ") if self.sql else "v",
            "{url}": self._marked(_BLOCKS["url"], "#redacted-") if self.urls else "v",
            "{error}": _BLOCKS["error"].replace("{text}", "v") if self.errors else "v",
            "{status_error}": (
                _BLOCKS["error"].replace("{text}", "span_status_message")
                if self.errors
                else "span_status_message"
            ),
        }

    def mask_error(self, text: str) -> str:
        """Return the text of an error as the insert would store it."""
        return _ERROR.sub(_mask_match, text) if self.errors else text

    def _marked(self, masked: str, mark: str) -> str:
        digest = blake2b(self.key.encode(), digest_size=16).digest()
        parts = (int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big"))
        return (
            _BLOCKS["marked"]
            .replace("{masked}", masked)
            .replace("{mark}", mark)
            .replace("{key}", ", ".join(f"toUInt64({part})" for part in parts))
            .replace("{text}", "v")
        )


def _mask_match(match: re.Match[str]) -> str:
    one, two, three, four, five, six, seven, eight = (part or "" for part in match.groups())
    return f"{one}{three}{five}{seven}{eight}?{two}{four}{six}"


# The same expression in Python: its text is SQL's, where backslashes and quotes are escaped.
_ERROR = re.compile(
    next(line for line in _BLOCKS["error"].splitlines() if line.strip().startswith("'("))
    .strip()
    .removesuffix(",")[1:-1]
    .replace("\\n", "\n")
    .replace("\\'", "'")
    .replace("\\\\", "\\"),
    re.MULTILINE,
)

NO_REDACTION = Redaction(sql=False, errors=False, urls=False, attributes=())


def _pattern(names: Sequence[str]) -> str:
    """Return names with * as one regular expression, which matches nothing when there are none."""
    parts = [".*".join(re.escape(part) for part in name.split("*")) for name in names]
    return f"(?i)^(?:{'|'.join(parts)})$" if parts else "^\\b$"
