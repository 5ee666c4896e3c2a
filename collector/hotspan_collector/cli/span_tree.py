"""A trace as a tree of lines: what was called by what, when, for how long."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hotspan_collector.api.models import TraceSpan

__all__ = ["Line", "tree_lines"]

_ALIKE_FROM = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One span, or several alike that follow each other."""

    indent: str
    span: TraceSpan
    times: int
    total_us: float
    span_ids: frozenset[str]
    orphan: bool


def tree_lines(spans: Sequence[TraceSpan], *, fold: bool) -> list[Line]:
    """Return the lines of a trace's tree, siblings by start.

    Spans whose parent is not there stand at the top, and so does one of each circle of parents.

    Args:
        spans: all spans of the trace.
        fold: make one line of leaves that follow each other and are alike.

    """
    children = _children(spans)
    lines: list[Line] = []
    seen: set[str] = set()
    known = {span.span_id for span in spans}
    tops = [span for span in spans if span.parent_span_id not in known - {span.span_id}]
    # What no top leads to is a circle: its first span becomes a top.
    for top in [*tops, *spans]:
        if top.span_id not in seen:
            orphan = top.parent_span_id is not None
            lines += _walk(top, children, seen=seen, fold=fold, orphan=orphan)
    return lines


def _children(spans: Iterable[TraceSpan]) -> Mapping[str, list[TraceSpan]]:
    children: dict[str, list[TraceSpan]] = defaultdict(list)
    for span in sorted(spans, key=lambda each: each.start_us):
        if span.parent_span_id is not None and span.parent_span_id != span.span_id:
            children[span.parent_span_id].append(span)
    return children


def _walk(
    top: TraceSpan,
    children: Mapping[str, list[TraceSpan]],
    *,
    seen: set[str],
    fold: bool,
    orphan: bool,
) -> Iterator[Line]:
    # Without recursion: a trace may be thousands of spans deep.
    stack: list[tuple[list[TraceSpan], str, str]] = [([top], "", "")]
    while stack:
        group, indent, below = stack.pop()
        first = group[0]
        if first.span_id in seen:
            continue
        seen.update(span.span_id for span in group)
        yield Line(
            indent=indent,
            span=first,
            times=len(group),
            total_us=sum(span.duration_us for span in group),
            span_ids=frozenset(span.span_id for span in group),
            orphan=orphan and first is top,
        )
        if len(group) > 1:
            continue
        groups = list(_groups(children.get(first.span_id, ()), children, fold=fold))
        for number, each in reversed(list(enumerate(groups))):
            last = number == len(groups) - 1
            stack.append((each, below + ("└─ " if last else "├─ "), below + _rail(last=last)))


def _rail(*, last: bool) -> str:
    return "   " if last else "│  "


def _groups(
    spans: Sequence[TraceSpan], children: Mapping[str, list[TraceSpan]], *, fold: bool
) -> Iterator[list[TraceSpan]]:
    for _, alike in groupby(spans, key=lambda span: _shape(span, children)):
        group = list(alike)
        if fold and len(group) >= _ALIKE_FROM:
            yield group
        else:
            yield from ([span] for span in group)


def _shape(span: TraceSpan, children: Mapping[str, list[TraceSpan]]) -> object:
    if children.get(span.span_id):
        return span.span_id
    return (span.name, span.service, span.kind, span.status, span.statement_fingerprint, span.code)
