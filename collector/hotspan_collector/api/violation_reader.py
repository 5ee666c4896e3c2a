"""Violations, with the words that the catalogue has for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hotspan_collector.api.catalogue import rule_info
from hotspan_collector.api.findings import code_of, evidence_of, suggestion_of, template_values
from hotspan_collector.api.models import (
    Evidence,
    Occurrence,
    Violation,
    ViolationDetail,
    Violations,
)
from hotspan_collector.api.problems import NotFoundError
from hotspan_collector.api.times import from_milliseconds, from_nanoseconds
from hotspan_collector.rules.lifecycle import ViolationRow
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hotspan_collector.rules.catalogue import Catalogue
    from hotspan_collector.store.port import Database, Row

__all__ = ["ViolationFilter", "describe", "read_violation", "read_violations"]

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
    finding = _newest_findings(database, [known]).get(fingerprint)
    return ViolationDetail(
        **_fields(catalogue, known, finding, _count_entries(database, [known])),
        evidence=evidence_of(finding) if finding else Evidence(span_ids=[]),
        evidence_trace_id=finding["trace_id_hex"] if finding else "",
        evidence_entry_span_id=finding["entry_span_id_hex"] if finding else "",
        occurrences=_occurrences(database, fingerprint),
        rule_info=rule_info(catalogue, known.rule),
    )


def describe(
    database: Database, catalogue: Catalogue, violations: Sequence[ViolationRow]
) -> list[Violation]:
    """Return violations with what their newest finding and the catalogue say about them."""
    findings = _newest_findings(database, violations)
    entries = _count_entries(database, violations)
    return [
        Violation(**_fields(catalogue, each, findings.get(each.fingerprint), entries))
        for each in violations
    ]


def _violation_row(row: Row) -> ViolationRow:
    return ViolationRow(**{name: value for name, value in row.items() if name != "total"})


def _newest_findings(database: Database, violations: Sequence[ViolationRow]) -> Mapping[str, Row]:
    """Return the newest finding of each, by fingerprint: one that counts if there is one."""
    if not violations:
        return {}
    wanted = [each.fingerprint for each in violations]
    # The time bounds what is read; it was rounded down to milliseconds.
    since_ns = (min(each.last_seen_ms for each in violations) - 1) * 1_000_000
    parameters = {"fingerprints": wanted, "since_ns": since_ns}
    found = _by_fingerprint(database.rows(_FINDINGS["newest_current"], parameters))
    rest = [fingerprint for fingerprint in wanted if fingerprint not in found]
    if not rest:
        return found
    older = database.rows(_FINDINGS["newest_of_any"], {"fingerprints": rest})
    return {**_by_fingerprint(older), **found}


def _by_fingerprint(rows: Sequence[Row]) -> dict[str, Row]:
    return {row["fingerprint"]: row for row in rows}


def _count_entries(database: Database, violations: Sequence[ViolationRow]) -> Mapping[str, int]:
    if not violations:
        return {}
    fingerprints = [each.fingerprint for each in violations]
    rows = database.rows(_VIOLATIONS["entries_since_first_hit"], {"fingerprints": fingerprints})
    return {row["fingerprint"]: row["entries"] for row in rows}


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


def _fields(
    catalogue: Catalogue,
    known: ViolationRow,
    finding: Row | None,
    entries: Mapping[str, int],
) -> dict[str, Any]:
    rule = catalogue.rules.get(known.rule)
    return {
        "id": known.fingerprint,
        "rule": known.rule,
        "title": rule.title if rule else known.rule,
        "severity": known.severity,
        "confidence": known.confidence,
        "status": known.status,
        "service": known.service,
        "namespace": known.namespace,
        "environment": known.environment,
        "entry": known.entry_name,
        "entry_kind": known.entry_kind,
        "hits": known.hits,
        "entries": max(known.hits, entries.get(known.fingerprint, 0)),
        "count": known.max_count,
        "wasted_ms": known.mean_wasted_ns / 1e6,
        "lost_seconds_per_day": known.lost_ns_last_day / 1e9,
        "first_seen": from_milliseconds(known.first_seen_ms),
        "last_seen": from_milliseconds(known.last_seen_ms),
        "first_release": known.first_version,
        "last_release": known.last_version,
        "code": code_of(finding) if finding else None,
        "suggestion": suggestion_of(catalogue, finding) if finding else "",
        "summary": _summary(catalogue, known, finding),
    }


def _summary(catalogue: Catalogue, known: ViolationRow, finding: Row | None) -> str:
    rule = catalogue.rules.get(known.rule)
    if rule is None or finding is None:
        return f"{known.rule} in {known.entry_name}"
    return rule.summarise(known.max_count, known.mean_wasted_ns / 1e6, template_values(finding))
