"""Violations, with the words that the catalogue has for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotspan_collector.api.catalogue import rule_info
from hotspan_collector.api.findings import evidence_of
from hotspan_collector.api.models import (
    Evidence,
    Occurrence,
    ViolationDetail,
    Violations,
)
from hotspan_collector.api.problems import NotFoundError
from hotspan_collector.api.times import from_nanoseconds
from hotspan_collector.api.violation_words import (
    count_entries,
    describe,
    newest_findings,
    violation_fields,
)
from hotspan_collector.rules.lifecycle import ViolationRow
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from hotspan_collector.database import Database, Row
    from hotspan_collector.rules.catalogue import Catalogue

__all__ = ["ViolationFilter", "read_violation", "read_violations"]

_VIOLATIONS = load_blocks(__package__ or "", "violations.sql")
_FINDINGS = load_blocks(__package__ or "", "findings.sql")
_MOST_OCCURRENCES = 20
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
    status: str = ""
    limit: int = 1
    offset: int = 0

    def parameters(self) -> dict[str, object]:
        """Return it as parameters of the query."""
        return {name: getattr(self, name) for name in self.__slots__}


def read_violations(
    database: Database, catalogue: Catalogue, wanted: ViolationFilter
) -> Violations:
    """Return the violations that cost most first."""
    rows = database.rows(_VIOLATIONS["violations"], wanted.parameters())
    return Violations(
        violations=describe(database, catalogue, [_violation_row(row) for row in rows]),
        total=rows[0]["total"] if rows else 0,
    )


def read_violation(database: Database, catalogue: Catalogue, fingerprint: str) -> ViolationDetail:
    """Return one violation with its evidence.

    Raises:
        NotFoundError: there is none.

    """
    wanted = ViolationFilter(fingerprint=fingerprint)
    rows = database.rows(_VIOLATIONS["violations"], wanted.parameters())
    if not rows:
        raise NotFoundError(
            f"There is no violation {fingerprint}. /api/v1/violations lists what there is."
        )
    known = _violation_row(rows[0])
    finding = newest_findings(database, [known]).get(fingerprint)
    return ViolationDetail(
        **violation_fields(catalogue, known, finding, count_entries(database, [known])),
        evidence=evidence_of(finding) if finding else Evidence(span_ids=[]),
        evidence_trace_id=finding["trace_id_hex"] if finding else "",
        evidence_entry_span_id=finding["entry_span_id_hex"] if finding else "",
        occurrences=_occurrences(database, fingerprint),
        rule_info=rule_info(catalogue, known.rule),
    )


def _violation_row(row: Row) -> ViolationRow:
    return ViolationRow(**{name: value for name, value in row.items() if name != "total"})


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
