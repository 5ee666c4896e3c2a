"""The data of the rows component: a table whose rows are links."""

from __future__ import annotations

from collections.abc import Sequence  # noqa: TC003  dataclasses are read at run time
from dataclasses import asdict, dataclass
from typing import Literal

Tone = Literal["", "muted", "critical", "warning", "info", "good"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, and its share of the width as CSS grid knows it."""

    title: str
    width: str
    align: Literal["start", "end"] = "start"


@dataclass(frozen=True, slots=True)
class Cell:
    """Text with an optional second line."""

    text: str
    sub: str = ""
    tone: Tone = ""
    style: Literal["text", "strong", "code", "badge"] = "text"
    title: str = ""
    """Shown when the pointer rests on the cell."""


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A row, and where it leads."""

    key: str
    url: str
    cells: Sequence[Cell]


def payload(columns: Sequence[Column], rows: Sequence[LinkRow], *, label: str) -> dict[str, object]:
    """Make the component's data."""
    return {
        "label": label,
        "columns": [asdict(column) for column in columns],
        "rows": [asdict(row) for row in rows],
    }
