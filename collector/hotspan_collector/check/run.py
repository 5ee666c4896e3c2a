"""Evaluates requests in a store that holds nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hotspan_collector.api.findings import finding_from_row
from hotspan_collector.rules.catalogue import Catalogue
from hotspan_collector.rules.evaluator import Evaluator, Timing
from hotspan_collector.rules.windows import WINDOW
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hotspan_collector.api.models import Finding
    from hotspan_collector.database import Database
    from hotspan_collector.rules.catalogue import Rule
    from hotspan_collector.store.port import SpanStore

__all__ = ["Outcome", "run_rules"]

_SQL = load_blocks(__package__ or "", "check.sql")

_AT_ONCE = Timing(settle_ms=0, settle_incomplete_ms=0, look_back_ms=0)
_INSERT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the rules found, worst first, and how much they looked at."""

    findings: Sequence[Finding]
    spans: int
    entries: int
    failed_rules: Mapping[str, str]


def run_rules(store: SpanStore, requests: Sequence[bytes], *, catalogue: Catalogue) -> Outcome:
    """Run every rule over serialized requests; those over windows over all of them.

    Args:
        store: is empty.
        requests: serialized.
        catalogue: the rules.

    Raises:
        HotspanError: the engine cannot do it; the message says why.

    """
    spans = sum(
        store.insert_spans(*batch, token=str(number))
        for number, batch in enumerate(_batches(requests))
    )
    return _evaluate(store, catalogue, spans=spans)


def _evaluate(store: Database, catalogue: Catalogue, *, spans: int) -> Outcome:
    [period] = store.rows(_SQL["period"])
    catalogue = _over(catalogue, minutes=period["minutes"])
    evaluator = Evaluator(store, catalogue=catalogue, timing=_AT_ONCE, open_after_hits=1)
    report = evaluator.tick()
    _, failed = evaluator.run_windows(now_ms=period["ended_ms"]) if spans else ((), {})
    return Outcome(
        findings=[finding_from_row(catalogue, row) for row in store.rows(_SQL["findings"])],
        spans=spans,
        entries=report.entries,
        failed_rules={**report.failed_rules, **failed},
    )


def _over(catalogue: Catalogue, *, minutes: float) -> Catalogue:
    """Let the rules over windows see all that is in the files."""
    return Catalogue({name: _widened(rule, minutes) for name, rule in catalogue.rules.items()})


def _widened(rule: Rule, minutes: float) -> Rule:
    if rule.kind != "window":
        return rule
    known = float(str(rule.values[WINDOW]))
    return replace(rule, values={**rule.values, WINDOW: max(known, minutes)})


def _batches(requests: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Put together what an insert should carry."""
    batch: list[bytes] = []
    size_bytes = 0
    for request in requests:
        if batch and size_bytes + len(request) > _INSERT_BYTES:
            yield batch
            batch, size_bytes = [], 0
        batch.append(request)
        size_bytes += len(request)
    if batch:
        yield batch
