"""Asks the collector's API."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from hotspan_collector.api.models import (
    EntryGroups,
    Evidence,
    Finding,
    Status,
    Violation,
    ViolationDetail,
    Violations,
)
from hotspan_collector.api.rule_models import (
    Rules,
)
from hotspan_collector.rules.catalogue import load_catalogue
from hotspan_demo.errors import DemoError

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Api", "Found"]

TIMEOUT_S = 30
MOST_VIOLATIONS = 500

_WINDOW_RULES = {rule.id for rule in load_catalogue().rules.values() if rule.kind == "window"}

Answer = TypeVar("Answer", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Found:
    """A violation that the demo's traffic led to, and its title.

    Its evidence is asked for apart (`Api.with_evidence`): there are many, and few are looked at.
    """

    title: str
    summary: str
    hits: int
    finding: Finding


class Api:
    """The collector's API, answers checked against its contract."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False)

    def close(self) -> None:
        self._client.close()

    def ready(self) -> bool:
        try:
            return self._client.get("/readyz").is_success
        except httpx.HTTPError:
            return False

    def status(self) -> Status:
        return self._get("/api/v1/status", Status)

    def rule_ids(self) -> frozenset[str]:
        return frozenset(rule.id for rule in self._get("/api/v1/rules", Rules).rules)

    def entries(self, *, since: datetime) -> Counter[str]:
        """How many entries of each name are evaluated."""
        groups = self._get("/api/v1/entries", EntryGroups, since=since.isoformat()).entries
        return Counter({group.name: group.entries for group in groups})

    def found(self, *, since: datetime, release: str) -> list[Found]:
        """What was found in a run of a release that began at a time, worst first.

        A rule over windows may show what it has found by an entry of an earlier run.
        """
        return [
            _found(violation, Evidence(span_ids=[]))
            for violation in self.violations()
            if violation.last_seen >= since
            or (
                violation.rule in _WINDOW_RULES
                and violation.last_release == release
                and violation.status == "open"
                and not violation.quiet
            )
        ]

    def with_evidence(self, found: Found) -> Found:
        """Ask for what a list of violations leaves out: the trace that shows it, and its spans."""
        detail = self._get(f"/api/v1/violations/{found.finding.fingerprint}", ViolationDetail)
        return _found(
            detail, detail.evidence, detail.evidence_trace_id, detail.evidence_entry_span_id
        )

    def violations(self) -> list[Violation]:
        """All there are, in whatever state, worst first."""
        return self._get(
            "/api/v1/violations", Violations, limit=str(MOST_VIOLATIONS), status="all"
        ).violations

    def _get(self, path: str, model: type[Answer], **parameters: str) -> Answer:
        try:
            answer = self._client.get(path, params=parameters)
            answer.raise_for_status()
            return model.model_validate_json(answer.content)
        except httpx.HTTPError as error:
            raise DemoError(f"The collector did not answer {path}: {error!r}") from error
        except ValidationError as error:
            raise DemoError(
                f"The collector's answer to {path} is not as agreed: {error}"
            ) from error


def _found(
    violation: Violation, evidence: Evidence, trace_id: str = "", entry_span_id: str = ""
) -> Found:
    finding = Finding(
        rule=violation.rule,
        severity=violation.severity,
        confidence=violation.confidence,
        service=violation.service,
        entry=violation.entry,
        entry_span_id=entry_span_id,
        trace_id=trace_id,
        fingerprint=violation.id,
        count=violation.count,
        wasted_ms=violation.wasted_ms,
        evidence=evidence,
        suggestion=violation.suggestion,
        code=violation.code,
    )
    return Found(violation.title, violation.summary, violation.hits, finding)
