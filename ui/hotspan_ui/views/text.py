"""Numbers, times and other people's strings, as text that is safe to show."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import sqlparse

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from hotspan_ui.models import Code

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>$:&^=])")
TIMES = "\N{MULTIPLICATION SIGN}"
NOTHING = "\N{EN DASH}"
_US_PER_MS = 1000.0
_MS_PER_S = 1000.0
_MINUTE_S = 60.0
_HOUR_S = 3600.0
_DAY_S = 86400.0
# sqlparse's work grows faster than its input: beyond this a statement is shown as it came.
_PRETTY_LIMIT_CHARACTERS = 20_000


def escaped(text: str) -> str:
    """Escape everything that Markdown, or Streamlit's additions to it, would interpret."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def duration(milliseconds: float) -> str:
    """Three significant digits in the unit that reads best."""
    if milliseconds < 0:
        return f"-{duration(-milliseconds)}"
    if milliseconds < 1:
        return f"{milliseconds * _US_PER_MS:.0f} µs"
    seconds = milliseconds / _MS_PER_S
    if seconds < 1:
        return f"{_digits(milliseconds)} ms"
    if seconds < _MINUTE_S:
        return f"{_digits(seconds)} s"
    if seconds < _HOUR_S:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest} s"
    hours, rest = divmod(round(seconds / _MINUTE_S), 60)
    return f"{hours} h {rest} min"


def count(number: float) -> str:
    """Return a number with thousands marked off."""
    return f"{number:,.0f}"


def compact(number: float) -> str:
    """Return a large number as people say it: 12.3 k, 4.56 M."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if number >= limit:
            return f"{_digits(number / (1e3 if unit == 'k' else limit))} {unit}"
    return count(number)


def ago(moment: datetime, *, now: datetime) -> str:
    """How long ago, in one unit."""
    seconds = (now - moment).total_seconds()
    if seconds < _MINUTE_S:
        return "just now"
    if seconds < _HOUR_S:
        return f"{seconds // _MINUTE_S:.0f} min ago"
    if seconds < _DAY_S:
        return f"{seconds // _HOUR_S:.0f} h ago"
    days = int(seconds // _DAY_S)
    return "1 day ago" if days == 1 else f"{days} days ago"


def moment(at: datetime, *, zone: ZoneInfo | None = None) -> str:
    """Return a date and time to the second, in the reader's time zone."""
    local = at.astimezone(zone or UTC)
    return local.strftime("%Y-%m-%d %H:%M:%S") + ("" if zone else " UTC")


def place(code: Code | None) -> str:
    """`file:line`, as editors and terminals understand it."""
    return f"{code.file}:{code.line}" if code else ""


def short_place(code: Code | None, *, parts: int = 3) -> str:
    """Return the place with only the last parts of its path."""
    if code is None:
        return ""
    names = code.file.replace("\\", "/").split("/")
    shortened = "/".join(names[-parts:])
    return f"{'…/' if len(names) > parts else ''}{shortened}:{code.line}"


def statement(sql: str) -> str:
    """Return a statement laid out for reading."""
    if len(sql) > _PRETTY_LIMIT_CHARACTERS:
        return sql
    formatted: str = sqlparse.format(sql, reindent=True, keyword_case="upper")
    return formatted


def one_line(text: str, *, limit: int) -> str:
    """Return the text without line breaks, cut where it gets too long."""
    joined = " ".join(text.split())
    return joined if len(joined) <= limit else f"{joined[: limit - 1]}…"


def relative_window(name: str) -> timedelta | None:
    """`15m`, `6h` or `7d` as a duration; None for any other text."""
    match = re.fullmatch(r"(\d{1,4})([mhd])", name)
    if match is None:
        return None
    amount = int(match[1])
    return {
        "m": timedelta(minutes=amount),
        "h": timedelta(hours=amount),
        "d": timedelta(days=amount),
    }[match[2]]


def _digits(number: float) -> str:
    if number >= 100:  # noqa: PLR2004  three digits stand before the point
        return f"{number:.0f}"
    if number >= 10:  # noqa: PLR2004  two digits stand before the point
        return f"{number:.1f}"
    return f"{number:.2f}"
