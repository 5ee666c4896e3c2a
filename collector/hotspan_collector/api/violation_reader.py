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
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hotspan_collector.rules.catalogue import Catalogue
    from hotspan_collector.store.port import Database, Row

__all__ = ["ViolationFilter", "newest_findings", "read_violation", "read_violations", "summary_of"]

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
    findings = newest_findings(database, rows)
    entries = _count_entries(database, rows)
    return Violations(
        violations=[
            Violation(**_fields(catalogue, row, findings.get(row["fingerprint"]), entries))
            for row in rows
        ],
        total=rows[0]["total"] if rows else 0,
    )


def read_violation(database: Database, catalogue: Catalogue, fingerprint: str) -> ViolationDetail:
    """Return one violation with its evidence.

    Raises:
        NotFoundError: there is none.

    """
    rows = database.rows(
        _VIOLATIONS["violations"], ViolationFilter(fingerprint=fingerprint).parameters()
    )
    if not rows:
        raise NotFoundError(
            f"There is no violation {fingerprint}. /api/v1/violations lists what there is."
        )
    row = rows[0]
    finding = newest_findings(database, rows).get(fingerprint)
    return ViolationDetail(
        **_fields(catalogue, row, finding, _count_entries(database, rows)),
        evidence=evidence_of(finding) if finding else Evidence(span_ids=[]),
        evidence_trace_id=finding["trace_id_hex"] if finding else "",
        evidence_entry_span_id=finding["entry_span_id_hex"] if finding else "",
        occurrences=_occurrences(database, fingerprint),
        rule_info=rule_info(catalogue, row["rule"]),
    )


def newest_findings(database: Database, violations: Sequence[Row]) -> Mapping[str, Row]:
    """Return the newest finding of each violation, by fingerprint: one that counts if there is."""
    if not violations:
        return {}
    wanted = [row["fingerprint"] for row in violations]
    since_ns = (min(row["last_seen_ms"] for row in violations) - 1) * 1_000_000
    found = _by_fingerprint(
        database.rows(_FINDINGS["newest_current"], {"fingerprints": wanted, "since_ns": since_ns})
    )
    rest = [fingerprint for fingerprint in wanted if fingerprint not in found]
    if not rest:
        return found
    older = database.rows(_FINDINGS["newest_of_any"], {"fingerprints": rest})
    return {**_by_fingerprint(older), **found}


def summary_of(catalogue: Catalogue, violation: Row, finding: Row | None) -> str:
    """Say in one line what happened."""
    rule = catalogue.rules.get(violation["rule"])
    if rule is None or finding is None:
        return f"{violation['rule']} in {violation['entry_name']}"
    return rule.summarise(
        violation["max_count"], violation["mean_wasted_ns"] / 1e6, template_values(finding)
    )


def _by_fingerprint(rows: Sequence[Row]) -> dict[str, Row]:
    return {row["fingerprint"]: row for row in rows}


def _count_entries(database: Database, violations: Sequence[Row]) -> Mapping[str, int]:
    if not violations:
        return {}
    rows = database.rows(
        _VIOLATIONS["entries_since_first_hit"],
        {"fingerprints": [row["fingerprint"] for row in violations]},
    )
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
    catalogue: Catalogue, row: Row, finding: Row | None, entries: Mapping[str, int]
) -> dict[str, Any]:
    rule = catalogue.rules.get(row["rule"])
    return {
        "id": row["fingerprint"],
        "rule": row["rule"],
        "title": rule.title if rule else row["rule"],
        "severity": row["severity_name"],
        "confidence": row["confidence_name"],
        "status": row["status"],
        "service": row["service"],
        "namespace": row["namespace"],
        "environment": row["environment"],
        "entry": row["entry_name"],
        "entry_kind": row["entry_kind"],
        "hits": row["hits"],
        "entries": max(row["hits"], entries.get(row["fingerprint"], 0)),
        "count": row["max_count"],
        "wasted_ms": row["mean_wasted_ns"] / 1e6,
        "lost_seconds_per_day": row["lost_ns_last_day"] / 1e9,
        "first_seen": from_milliseconds(row["first_seen_ms"]),
        "last_seen": from_milliseconds(row["last_seen_ms"]),
        "first_release": row["first_version"],
        "last_release": row["last_version"],
        "code": code_of(finding) if finding else None,
        "suggestion": suggestion_of(catalogue, finding) if finding else "",
        "summary": summary_of(catalogue, row, finding),
    }
