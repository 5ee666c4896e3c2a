"""Writes the collector's settings into operations.md: `python docs/collector_settings.py`.

A test fails when the page is not what this would write.
"""  # noqa: INP001 (run by its path)

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr
from pydantic_settings import NoDecode

from hotspan_collector.settings import Settings

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

PAGE = Path(__file__).with_name("operations.md")
_BEGIN = "<!-- begin settings, written by docs/collector_settings.py -->\n"
_END = "<!-- end settings -->"


def with_settings(page: str) -> str:
    """Return a page with the table as it should be, between its two comments."""
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} must hold {_BEGIN.strip()} and {_END}")
    return f"{before}{begin}{table()}{end}{after}"


def table() -> str:
    """Return the settings as a table: variable, default, what it means."""
    rows = [
        f"| `HOTSPAN_{name.upper()}` | {_default(field)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows, ""])


def _default(field: FieldInfo) -> str:  # noqa: PLR0911 (a kind of value each)
    match field.get_default(call_default_factory=True):
        case None | "" | () | {} | SecretStr():
            return ""
        case Path() as path:
            return f"`~/{path.relative_to(Path.home())}`"  # of whoever runs it
        case bool(value):
            return f"`{str(value).lower()}`"
        case tuple(values) if NoDecode in field.metadata:  # given without brackets
            return f"`{','.join(values)}`"
        case tuple(values):
            return f"`{json.dumps(values)}`"
        case float(number):
            return f"`{number:g}`"
        case value:
            return f"`{value}`"


if __name__ == "__main__":
    PAGE.write_text(with_settings(PAGE.read_text("utf-8")), "utf-8")
