"""Violations, with the words that the catalogue has for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotspan_collector.api.catalogue import rule_info
from hotspan_collector.api.findings import evidence_of
from hotspan_collector.api.models import (
    Evidence,
    Occurrence,
    ViolationChange,
    ViolationDetail,
    Violations,
)
from hotspan_collector.api.problems import NotFoundError
from hotspan_collector.api.times import from_milliseconds, from_nanoseconds
from hotspan_collector.api.violation_words import (
    count_entries,
    describe,
    newest_findings,
    violation_fields,
)
from hotspan_collector.rules.actions import ALLOWED, act
from hotspan_collector.rules.violation import ACTIVE, ViolationRow
from hotspan_collector.rules.violation_table import ViolationTable, row_from
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from hotspan_collector.database import Database, Row
    from hotspan_collector.rules.catalogue import Catalogue

__all__ = [
    "ViolationFilter",
    "find_violation",
    "read_violation",
    "read_violations",
    "statuses_of",
]

_VIOLATIONS = load_blocks(__package__ or "", "violations.sql")
_FINDINGS = load_blocks(__package__ or "", "findings.sql")
_MOST_OCCURRENCES = 20
_MOST_CHANGES = 50
# Looked through for occurrences that still count.
_CANDIDATES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ViolationFilter:
    """Which violations; empty means any."""

    fingerprint: str = ""
    service: str = ""
    environment: str = ""
    rule: str = ""
    severity: str = ""
    statuses: tuple[str, ...] = ()
    limit: int = 1
    offset: int = 0

    def parameters(self) -> dict[str, object]:
        """Return it as parameters of the query."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {**values, "statuses": list(self.statuses)}


def read_violations(
    database: Database, catalogue: Catalogue, wanted: ViolationFilter
) -> Violations:
    """Return the violations that cost most first."""
    rows, total = _rows(database, wanted)
    if not rows and wanted.offset:
        total = database.rows(_VIOLATIONS["count_violations"], wanted.parameters())[0]["total"]
    return Violations(violations=describe(database, catalogue, rows), total=total)


def statuses_of(asked: str) -> tuple[str, ...]:
    """Return the states that a filter means: `active` is what is somebody's work, `all` any."""
    match asked:
        case "active":
            return tuple(sorted(ACTIVE))
        case "all" | "":
            return ()
        case _:
            return (asked,)


def read_violation(database: Database, catalogue: Catalogue, fingerprint: str) -> ViolationDetail:
    """Return one violation with its evidence.

    Raises:
        NotFoundError: there is none.

    """
    known = find_violation(database, fingerprint)
    finding = newest_findings(database, [known]).get(fingerprint)
    return ViolationDetail(
        **violation_fields(catalogue, known, finding, count_entries(database, [known])),
        evidence=evidence_of(finding) if finding else Evidence(span_ids=[]),
        evidence_trace_id=finding["trace_id_hex"] if finding else "",
        evidence_entry_span_id=finding["entry_span_id_hex"] if finding else "",
        occurrences=_occurrences(database, fingerprint),
        rule_info=rule_info(catalogue, known.rule),
        history=_history(database, fingerprint),
        actions=[name for name, statuses in ALLOWED.items() if known.status in statuses],
    )


def find_violation(database: Database, fingerprint: str) -> ViolationRow:
    """Return one violation.

    Raises:
        NotFoundError: there is none.

    """
    rows, _ = _rows(database, ViolationFilter(fingerprint=fingerprint))
    if not rows:
        raise NotFoundError(
            f"There is no violation {fingerprint}. /api/v1/violations lists what there is."
        )
    return rows[0]


def _rows(database: Database, wanted: ViolationFilter) -> tuple[list[ViolationRow], int]:
    """Return violations with what people have said, be it applied by the evaluator or not yet.

    With them comes how many there are on all pages; 0 beyond the last one.
    """
    found = database.rows(_VIOLATIONS["violations"], wanted.parameters())
    rows = {row.fingerprint: row for row in map(row_from, found)}
    if rows:
        for action in ViolationTable(database).pending_actions(list(rows)):
            rows[action.fingerprint], _ = act(rows[action.fingerprint], action)
    return list(rows.values()), found[0]["total"] if found else 0


def _history(database: Database, fingerprint: str) -> list[ViolationChange]:
    parameters = {"fingerprint": fingerprint, "limit": _MOST_CHANGES}
    return [
        ViolationChange(at=from_milliseconds(row["at_ms"]), **_without_time(row))
        for row in database.rows(_VIOLATIONS["history"], parameters)
    ]


def _without_time(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "at_ms"}


def _occurrences(database: Database, fingerprint: str) -> list[Occurrence]:
    rows = database.rows(
        _FINDINGS["occurrences"],
        {
            "fingerprint": fingerprint,
            "candidates": _CANDIDATES,
            "limit": _MOST_OCCURRENCES,
        },
    )
    return [
        Occurrence(
            trace_id=row["trace_id_hex"],
            entry_span_id=row["entry_span_id_hex"],
            at=from_nanoseconds(row["entry_start_ns"]),
            duration_ms=row["entry_duration_ns"] / 1e6,
            count=row["count"],
            wasted_ms=row["wasted_ns"] / 1e6,
            version=row["version"],
        )
        for row in rows
    ]
