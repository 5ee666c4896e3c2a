"""Spans as a tree in the order of a waterfall, with equal siblings folded together."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotspan_ui.models import TraceSpan

FOLD_FROM = 5


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the waterfall: a span, or a fold that stands for its equal siblings."""

    span: TraceSpan
    parent: int
    """Index of the parent's row, -1 at the top."""
    depth: int
    members: int = 0
    """How many spans a fold stands for; 0 for a span."""
    orphan: bool = False
    """The parent is named, but is not in the trace."""


def rows(spans: Sequence[TraceSpan], *, fold_from: int = FOLD_FROM) -> tuple[Row, ...]:
    """Order spans depth first by start; each span stands in the result exactly once.

    Siblings of one service, kind, name and statement shape that are at least `fold_from` become
    children of a fold, at the place of the first, however many others stand between them.
    Spans with a missing parent, and cycles, are put at the top.
    """
    children, tops, orphans = _families(spans)
    result: list[Row] = []
    # Children are pushed in reverse, so that they come off in order. No recursion: depth is data.
    todo = [(group, -1, 0) for group in reversed(_grouped(tops, fold_from))]
    while todo:
        group, parent, depth = todo.pop()
        index = len(result)
        if len(group) > 1:
            result.append(Row(group[0], parent, depth, members=len(group)))
            todo.extend(((span,), index, depth + 1) for span in reversed(group))
            continue
        span = group[0]
        result.append(Row(span, parent, depth, orphan=span.span_id in orphans))
        below = _grouped(children.pop(span.span_id, []), fold_from)
        todo.extend((each, index, depth + 1) for each in reversed(below))
    return tuple(result)


def _families(
    spans: Sequence[TraceSpan],
) -> tuple[dict[str, list[TraceSpan]], list[TraceSpan], set[str]]:
    unique = {span.span_id: span for span in spans}
    ordered = sorted(unique.values(), key=lambda span: (span.start_us, span.span_id))
    children: dict[str, list[TraceSpan]] = defaultdict(list)
    tops: list[TraceSpan] = []
    for span in ordered:
        if span.parent_span_id and span.parent_span_id in unique:
            children[span.parent_span_id].append(span)
        else:
            tops.append(span)
    for span in _out_of_reach(ordered, tops, children):
        siblings = children[span.parent_span_id or ""]
        siblings.remove(span)
        tops.append(span)
    tops.sort(key=lambda span: (span.start_us, span.span_id))
    return children, tops, {span.span_id for span in tops if span.parent_span_id}


def _out_of_reach(
    ordered: Sequence[TraceSpan],
    tops: Sequence[TraceSpan],
    children: dict[str, list[TraceSpan]],
) -> list[TraceSpan]:
    """Return the spans to cut off their parents, so that cycles are reached from the top."""
    seen: set[str] = set()
    cuts: list[TraceSpan] = []
    for position, start in enumerate((*tops, *ordered)):
        if start.span_id in seen:
            continue
        if position >= len(tops):
            cuts.append(start)
        todo = [start]
        while todo:
            span = todo.pop()
            if span.span_id not in seen:
                seen.add(span.span_id)
                todo.extend(children.get(span.span_id, ()))
    return cuts


def _grouped(siblings: Sequence[TraceSpan], fold_from: int) -> list[tuple[TraceSpan, ...]]:
    groups: dict[tuple[str | None, ...], list[TraceSpan]] = defaultdict(list)
    for span in siblings:
        groups[_likeness(span)].append(span)
    result: list[tuple[TraceSpan, ...]] = []
    for span in siblings:
        group = groups[_likeness(span)]
        if len(group) < fold_from:
            result.append((span,))
        elif group[0] is span:
            result.append(tuple(group))
    return result


def _likeness(span: TraceSpan) -> tuple[str | None, ...]:
    return (span.service, span.kind, span.name, span.statement_fingerprint)
