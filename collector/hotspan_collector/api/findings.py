"""Findings as the API and `hotspan check` tell them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hotspan_collector.api.models import Code, Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

    from hotspan_collector.database import Row
    from hotspan_collector.rules.catalogue import Catalogue

__all__ = ["code_of", "evidence_of", "finding_from_row", "suggestion_of", "template_values"]

_INTEGER = re.compile(r"-?(0|[1-9]\d{0,14})")
_DECIMAL = re.compile(r"-?(0|[1-9]\d{0,14})\.\d{1,9}")


def finding_from_row(catalogue: Catalogue, row: Row) -> Finding:
    """Return a row of the view `current_findings` as a finding."""
    return Finding(
        rule=row["rule"],
        severity=row["severity"],
        confidence=row["confidence"],
        service=row["service"],
        entry=row["entry_name"],
        entry_span_id=row["entry_span_id_hex"],
        trace_id=row["trace_id_hex"],
        fingerprint=row["fingerprint"],
        count=row["count"],
        wasted_ms=row["wasted_ns"] / 1e6,
        evidence=evidence_of(row),
        suggestion=suggestion_of(catalogue, row),
        code=code_of(row),
    )


def evidence_of(row: Row) -> Evidence:
    """Return why the rule fired."""
    return Evidence(
        span_ids=list(row["span_ids_hex"]),
        statement=row["statement"] or None,
        details={name: _typed(value) for name, value in row["details"].items()},
        missing_attributes=list(row["missing"]),
    )


def suggestion_of(catalogue: Catalogue, row: Row) -> str:
    """Say what to change; empty when this version has no such rule or advice any more."""
    rule = catalogue.rules.get(row["rule"])
    if rule is None or row["suggestion"] not in rule.suggestions:
        return ""
    return rule.suggest(row["suggestion"], template_values(row))


def template_values(row: Row) -> Mapping[str, str]:
    """Return what templates of a rule may name: its details, and what every finding has."""
    return {
        "statement": row["statement"],
        "entry": row["entry_name"],
        "service": row["service"],
        **row["details"],
    }


def code_of(row: Row) -> Code | None:
    """Return where in the code it is, if that is known."""
    if not row["code_file"]:
        return None
    return Code(file=row["code_file"], line=row["code_line"], function=row["code_function"])


def _typed(value: str) -> JsonValue:
    # The store keeps details as text; what a rule measured are numbers.
    if _INTEGER.fullmatch(value):
        return int(value)
    return float(value) if _DECIMAL.fullmatch(value) else value
