"""What the waterfall component draws: a trace as columns, with names sent once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hotspan_ui.views import critical_path, tree
from hotspan_ui.views.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hotspan_ui.models import Finding, Trace, TraceSpan
    from hotspan_ui.views.tree import Row

# Flags of a row, as waterfall.js knows them.
ERROR: Final = 1
EVIDENCE: Final = 2
ALIKE: Final = 4
ORPHAN: Final = 8
OPEN: Final = 16

_STATEMENT_CHARACTERS = 160


@dataclass(slots=True)
class _Words:
    """Strings, each once, by number."""

    known: dict[str, int] = field(default_factory=dict)

    def number(self, word: str) -> int:
        return self.known.setdefault(word, len(self.known))


def evidence_of(findings: Iterable[Finding], violation_id: str) -> frozenset[str]:
    """Return the offending spans of one violation, or of all findings when none is named."""
    return frozenset(
        span_id
        for finding in findings
        if not violation_id or finding.fingerprint == violation_id
        for span_id in finding.evidence.span_ids
    )


def payload(
    trace: Trace, *, evidence: frozenset[str], selected: str, unfold_evidence: bool
) -> dict[str, object]:
    """Make the component's data: one list a column, one entry a row, strings by number.

    Args:
        trace: All that is to be drawn.
        evidence: Spans to highlight. The equal siblings they are folded with are marked alike.
        selected: The span whose details are shown at first.
        unfold_evidence: Whether folds with evidence are open at first.

    """
    rows = tree.rows(trace.spans)
    flags = _flags(rows, evidence, unfold_evidence=unfold_evidence)
    words = _Words()
    return {
        "trace": trace.trace_id,
        "selected": selected,
        "id": [_row_id(row) for row in rows],
        "parent": [row.parent for row in rows],
        "depth": [row.depth for row in rows],
        "name": [words.number(row.span.name) for row in rows],
        "detail": [words.number(_detail(row.span)) for row in rows],
        "service": [words.number(row.span.service) for row in rows],
        "kind": [words.number(row.span.kind) for row in rows],
        "start": [round(row.span.start_us, 1) for row in rows],
        "duration": [round(row.span.duration_us, 1) for row in rows],
        "members": [row.members for row in rows],
        "flags": flags,
        "critical": [
            [segment.row, round(segment.start_us, 1), round(segment.end_us, 1)]
            for segment in critical_path.segments(rows)
        ],
        "services": [words.number(service) for service in services(trace.spans)],
        "words": list(words.known),
    }


def services(spans: Iterable[TraceSpan]) -> tuple[str, ...]:
    """Return the services in the order in which they appear: it decides their colours."""
    return tuple(dict.fromkeys(span.service for span in spans))


def initial_span(trace: Trace, *, asked: str, evidence: frozenset[str]) -> str:
    """Return the span to select at first: the one asked for, first evidence, or the first."""
    known = {span.span_id for span in trace.spans}
    if asked in known:
        return asked
    offending = (span.span_id for span in trace.spans if span.span_id in evidence)
    first = trace.spans[0].span_id if trace.spans else ""
    return next(offending, first)


def _row_id(row: Row) -> str:
    return f"fold-{row.span.span_id}" if row.members else row.span.span_id


def _detail(span: TraceSpan) -> str:
    """Return the telling part of a statement: tables and conditions, not the list of columns."""
    statement = " ".join((span.statement or "").split()).replace('"', "").replace("`", "")
    verb, _, rest = statement.partition(" ")
    if verb.upper() == "SELECT" and " FROM " in rest.upper():
        rest = rest[rest.upper().index(" FROM ") + 1 :]
    shown = rest if verb.upper() == span.name.split(" ")[0].upper() else f"{verb} {rest}"
    return one_line(shown, limit=_STATEMENT_CHARACTERS)


def _flags(rows: Sequence[Row], evidence: frozenset[str], *, unfold_evidence: bool) -> list[int]:
    flags = [_own_flags(row, evidence) for row in rows]
    for index, row in enumerate(rows):
        if row.parent >= 0 and rows[row.parent].members:
            flags[row.parent] |= flags[index] & (ERROR | EVIDENCE)
    for index, row in enumerate(rows):
        if row.members and flags[index] & EVIDENCE and unfold_evidence:
            flags[index] |= OPEN
        in_fold = row.parent >= 0 and rows[row.parent].members
        if in_fold and flags[row.parent] & EVIDENCE and not flags[index] & EVIDENCE:
            flags[index] |= ALIKE
    return flags


def _own_flags(row: Row, evidence: frozenset[str]) -> int:
    if row.members:
        return 0
    flags = ERROR if row.span.status == "error" else 0
    flags |= EVIDENCE if row.span.span_id in evidence else 0
    return flags | (ORPHAN if row.orphan else 0)
