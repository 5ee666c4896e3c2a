"""Violations in words: what their newest finding and the catalogue say about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotspan_collector.api.findings import code_of, suggestion_of, template_values
from hotspan_collector.api.models import Fix, Ignored, Violation
from hotspan_collector.api.times import from_milliseconds
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from hotspan_collector.database import Database, Row
    from hotspan_collector.rules.catalogue import Catalogue
    from hotspan_collector.rules.violation import Ignoring, ViolationRow

__all__ = ["count_entries", "describe", "newest_findings", "violation_fields"]

_VIOLATIONS = load_blocks(__package__ or "", "violations.sql")
_WITH_FIX = {"resolving", "verified_fixed", "ignored"}
_FINDINGS = load_blocks(__package__ or "", "findings.sql")


def describe(
    database: Database, catalogue: Catalogue, violations: Sequence[ViolationRow]
) -> list[Violation]:
    """Return violations with what their newest finding and the catalogue say about them."""
    findings = newest_findings(database, violations)
    entries = count_entries(database, violations)
    return [
        Violation(**violation_fields(catalogue, each, findings.get(each.fingerprint), entries))
        for each in violations
    ]


def newest_findings(database: Database, violations: Sequence[ViolationRow]) -> Mapping[str, Row]:
    """Return the newest finding of each, by fingerprint: one that counts if there is one.

    Of what has come since the evaluator last counted it nothing is told yet.
    """
    if not violations:
        return {}
    wanted = [each.fingerprint for each in violations]
    last_seen_ms = [each.last_seen_ms for each in violations]
    parameters = {"fingerprints": wanted, "last_seen_ms": last_seen_ms}
    found = _by_fingerprint(database.rows(_FINDINGS["newest_counted"], parameters))
    rest = [fingerprint for fingerprint in wanted if fingerprint not in found]
    if not rest:
        return found
    older = database.rows(_FINDINGS["newest_of_any"], {"fingerprints": rest})
    return {**_by_fingerprint(older), **found}


def _by_fingerprint(rows: Sequence[Row]) -> dict[str, Row]:
    return {row["fingerprint"]: row for row in rows}


def count_entries(database: Database, violations: Sequence[ViolationRow]) -> Mapping[str, int]:
    """Return how many entries of its route or task there were since each was first seen."""
    if not violations:
        return {}
    parameters = {
        "services": sorted({each.service for each in violations}),
        "kinds": sorted({each.entry_kind for each in violations}),
        "since_ms": sorted({each.first_seen_ms for each in violations}),
    }
    rows = database.rows(_VIOLATIONS["entries_since"], parameters)
    return {
        each.fingerprint: round(
            sum(
                row["entries"]
                for row in rows
                if _route(row) == _route_of(each) and row["from_ms"] >= each.first_seen_ms
            )
        )
        for each in violations
    }


def _route(row: Row) -> tuple[str, ...]:
    return (row["service"], row["namespace"], row["environment"], row["kind"], row["name"])


def _route_of(known: ViolationRow) -> tuple[str, ...]:
    return (
        known.service,
        known.namespace,
        known.environment,
        known.entry_kind,
        known.entry_name,
    )


def violation_fields(
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
        "quiet": known.quiet,
        "status_since": _moment(known.changed_at_ms or known.opened_at_ms),
        "status_by": known.changed_by,
        "status_reason": known.reason,
        "ignored": _ignored(known.ignoring) if known.status == "ignored" else None,
        "fix": _fix(known) if known.status in _WITH_FIX else None,
        "regressed_release": known.regressed_version if known.status == "regressed" else None,
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


def _ignored(until: Ignoring | None) -> Ignored | None:
    if until is None:
        return None
    return Ignored(
        since=from_milliseconds(until.at_ms),
        until=_moment(until.until_ms),
        more_hits=until.more_hits,
        impact_factor=until.impact_factor,
        next_release=until.next_release,
    )


def _fix(known: ViolationRow) -> Fix | None:
    proof = known.proof
    if proof is None:
        return None
    return Fix(
        releases=list(proof.releases),
        entries=proof.entries,
        entries_needed=proof.entries_needed,
        hit_rate=proof.hit_rate,
        queries_before=proof.queries_before,
        queries_after=proof.queries_after,
        duration_ms_before=proof.duration_ns_before / 1e6,
        duration_ms_after=proof.duration_ns_after / 1e6,
        lost_seconds_per_day_before=proof.lost_ns_a_day_before / 1e9,
        verified_at=_moment(known.fixed_at_ms if known.status == "verified_fixed" else None),
    )


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_milliseconds(milliseconds)


def _summary(catalogue: Catalogue, known: ViolationRow, finding: Row | None) -> str:
    rule = catalogue.rules.get(known.rule)
    if rule is None or finding is None:
        return f"{known.rule} in {known.entry_name or known.service}"
    return rule.summarise(known.max_count, known.mean_wasted_ns / 1e6, template_values(finding))
