"""What commands print with: readable at 80 columns and at 140, in colour or piped."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from hotspan_collector.api.models import Code

__all__ = ["TIMES", "count_text", "duration_text", "open_console", "place_text", "printable"]

TIMES = "\N{MULTIPLICATION SIGN}"

_PIPED_COLUMNS = 120
_MOST_COLUMNS = 140
_MICROSECOND_MS = 0.001
_SECOND_MS = 1_000
_MINUTE_S = 60
_TEN = 10


def open_console() -> Console:
    """Return a console as wide as is good to read; a pipe gets 120 columns, or COLUMNS."""
    columns = shutil.get_terminal_size((_PIPED_COLUMNS, 24)).columns
    if not sys.stdout.isatty() and not os.environ.get("COLUMNS"):
        columns = _PIPED_COLUMNS
    return Console(width=min(columns, _MOST_COLUMNS), highlight=False, soft_wrap=False)


def printable(text: str) -> str:
    """Return text without what would command a terminal: it comes from the traced application."""
    return "".join(
        character if character.isprintable() else " " if character in "\n\t\r" else "\ufffd"
        for character in text
    )


def duration_text(milliseconds: float) -> str:
    """Return a duration with three digits that matter."""
    if milliseconds < 1:
        return f"{milliseconds / _MICROSECOND_MS:.0f} µs"
    if milliseconds < _SECOND_MS:
        return f"{milliseconds:.1f} ms" if milliseconds < _TEN else f"{milliseconds:.0f} ms"
    seconds = milliseconds / _SECOND_MS
    if seconds < _MINUTE_S:
        return f"{seconds:.2f} s" if seconds < _TEN else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE_S)
    hours, minutes = divmod(minutes, _MINUTE_S)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def count_text(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def place_text(code: Code | None) -> str:
    """Return a place in the code, as editors understand it."""
    if code is None:
        return ""
    where = f"{code.file}:{code.line}" if code.line else code.file
    return f"{where} in {code.function}" if code.function else where
