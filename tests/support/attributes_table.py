"""The table of attributes in docs/instrumentation.md, and what it says of a name."""

import re
from pathlib import Path

_PAGE = Path(__file__).parents[2] / "docs" / "instrumentation.md"
_PLACEHOLDER = re.compile(r"<\w+>")
_OURS = ("hotspan.", "code.", "user.hash", "url.template")


def rows() -> list[list[str]]:
    """Return the cells of each row."""
    table = _PAGE.read_text().partition("### Attributes")[2].split("\n\n")[1]
    return [[cell.strip() for cell in row[1:-1].split("|")] for row in table.splitlines()[2:]]


def documented() -> set[str]:
    """Return the names as they are written: with `<name>` for what differs."""
    return {name for row in rows() for name in re.findall(r"`([^`]+)`", row[1])}


def undocumented(names: set[str]) -> set[str]:
    """Return those of the names that are ours, and in no row."""
    ours = {name for name in names if name.startswith(_OURS)}
    return {name for name in ours if not _pattern().fullmatch(name)}


def _pattern() -> re.Pattern[str]:
    """Return what matches each documented name; one with a dot in front goes on from the first."""
    patterns = []
    for row in rows():
        first, *others = re.findall(r"`([^`]+)`", row[1])
        stem = first.rpartition(".")[0]
        names = [first, *(f"{stem}{each}" if each.startswith(".") else each for each in others)]
        patterns += [".+".join(map(re.escape, _PLACEHOLDER.split(name))) for name in names]
    return re.compile("|".join(patterns))
