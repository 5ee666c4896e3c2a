"""Findings as SARIF 2.1.0, for the code scanning pages of GitHub, GitLab and others."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from hotspan_collector import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from hotspan_collector.api.models import Code, Finding
    from hotspan_collector.rules.catalogue import Catalogue, Rule

__all__ = ["sarif_log"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"info": "note", "warning": "warning", "critical": "error"}
_LONGEST_MESSAGE = 1_000


def sarif_log(
    findings: Sequence[Finding], *, catalogue: Catalogue, root: Path
) -> dict[str, JsonValue]:
    """Return a SARIF log: one result a violation and place, with the worst entry's numbers.

    Args:
        findings: what was found, worst first.
        catalogue: the rules that looked for it.
        root: files below it are given relative to it.

    """
    rules = list(catalogue.rules.values())
    index = {rule.id: number for number, rule in enumerate(rules)}
    results: list[JsonValue] = [
        {
            **_result(worst, occurrences=len(group), root=root),
            "ruleIndex": index[worst.rule],
        }
        for group in _by_place(findings)
        for worst in [group[0]]
    ]
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "hotspan",
                        "version": __version__,
                        "rules": [_rule(rule) for rule in rules],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }


def _by_place(findings: Sequence[Finding]) -> list[list[Finding]]:
    def place(finding: Finding) -> tuple[str, str, int]:
        code = finding.code
        return (finding.fingerprint, code.file if code else "", code.line if code else 0)

    order = {id(finding): number for number, finding in enumerate(findings)}
    groups = [list(group) for _, group in groupby(sorted(findings, key=place), key=place)]
    # Sorting is stable: the first of a group is its worst.
    return sorted(groups, key=lambda group: order[id(group[0])])


def _rule(rule: Rule) -> JsonValue:
    return {
        "id": rule.id,
        "name": rule.title,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.finds},
        "help": {"text": " ".join(rule.why.split())},
    }


def _result(finding: Finding, *, occurrences: int, root: Path) -> dict[str, JsonValue]:
    where: dict[str, JsonValue] = {
        "logicalLocations": [{"fullyQualifiedName": finding.entry, "kind": "function"}]
    }
    if finding.code is not None:
        where["physicalLocation"] = _physical(finding.code, root)
    text = f"{finding.count} times in {finding.entry}, {finding.wasted_ms:.1f} ms wasted. "
    return {
        "ruleId": finding.rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": (text + finding.suggestion)[:_LONGEST_MESSAGE]},
        "locations": [where],
        "partialFingerprints": {"hotspan/v1": finding.fingerprint},
        "occurrenceCount": occurrences,
        "properties": {
            "confidence": finding.confidence,
            "service": finding.service,
            "entry": finding.entry,
            "traceId": finding.trace_id,
            "entrySpanId": finding.entry_span_id,
            "count": finding.count,
            "wastedMs": finding.wasted_ms,
            "missingAttributes": list(finding.evidence.missing_attributes),
        },
    }


def _physical(code: Code, root: Path) -> JsonValue:
    path = Path(code.file)
    if path.is_relative_to(root):
        uri = path.relative_to(root).as_posix()
    else:
        uri = path.as_uri() if path.is_absolute() else path.as_posix()
    location: dict[str, JsonValue] = {"artifactLocation": {"uri": uri}}
    if code.line:
        location["region"] = {"startLine": code.line}
    return location
