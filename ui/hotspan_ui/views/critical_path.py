"""Which spans the end of an entry waited for: shortening anything else gains nothing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotspan_ui.views.tree import Row


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a row's time on the critical path."""

    row: int
    start_us: float
    end_us: float


def segments(rows: Sequence[Row]) -> tuple[Segment, ...]:
    """Walk back from the end of the longest span at the top, always to what ended last.

    The segments do not overlap, and lie within that span. Children that outlive their parent
    (started, but not waited for) count up to its end only.
    """
    children = _span_children(rows)
    tops = children[-1]
    if not tops:
        return ()
    root = max(tops, key=lambda index: rows[index].span.duration_us)
    found: list[Segment] = []
    todo = [(root, rows[root].span.start_us, _end(rows, root))]
    while todo:
        index, start, end = todo.pop()
        cursor = end
        for child in sorted(children[index], key=lambda each: _end(rows, each), reverse=True):
            child_start = max(rows[child].span.start_us, start)
            child_end = min(_end(rows, child), cursor)
            if child_end <= child_start:
                continue
            if cursor > child_end:
                found.append(Segment(index, child_end, cursor))
            todo.append((child, child_start, child_end))
            cursor = child_start
        if cursor > start:
            found.append(Segment(index, start, cursor))
    return tuple(sorted(found, key=lambda segment: segment.start_us))


def _span_children(rows: Sequence[Row]) -> dict[int, list[int]]:
    """Return the children of each span, looking through folds."""
    children: dict[int, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        if row.members:
            continue
        parent = row.parent
        if parent >= 0 and rows[parent].members:
            parent = rows[parent].parent
        children[parent].append(index)
    return children


def _end(rows: Sequence[Row], index: int) -> float:
    return rows[index].span.start_us + rows[index].span.duration_us
