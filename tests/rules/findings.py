"""Stores entries, evaluates them with the real evaluator, and returns what was found."""

import functools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rules.cases import CASES, Case
from rules.entry_spans import EntrySpans

from hotspan_collector.api.findings import finding_from_row
from hotspan_collector.api.models import Finding
from hotspan_collector.rules.catalogue import Catalogue, load_catalogue
from hotspan_collector.rules.evaluator import Evaluator, Timing
from hotspan_collector.store.port import SpanStore
from support.embedded import emptied_store

REPETITION = (
    "n_plus_one",
    "query_chain",
    "query_product",
    "duplicate_query",
    "write_loop",
    "n_plus_one_cache",
    "n_plus_one_http",
)


# A development database, one beside the process, one across a network, a busy one.
LATENCIES_MS = (0.4, 3, 12, 30)

Spans = Literal["enriched", "hashed", "stock"]
KINDS_OF_SPANS: tuple[Spans, ...] = ("enriched", "hashed", "stock")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A case, how it was sent, and what was found in it."""

    case: Case
    spans: Spans
    query_ms: float
    findings: Sequence[Finding]

    @property
    def expected(self) -> Mapping[str, int]:
        return {
            "enriched": self.case.enriched,
            "hashed": self.case.hashed,
            "stock": self.case.stock,
        }[self.spans]

    @property
    def found(self) -> Mapping[str, int]:
        """How often each rule says something was repeated, over its findings."""
        counts: Counter[str] = Counter()
        for finding in self.findings:
            counts[finding.rule] += finding.count
        return dict(counts)


@functools.cache
def judge_cases() -> Sequence[Judged]:
    """Evaluate every case, in all ways of sending it, at once."""
    sent = [
        (case, spans, query_ms, _entry(case, spans, query_ms))
        for case in CASES
        for spans in KINDS_OF_SPANS
        for query_ms in LATENCIES_MS
    ]
    found = evaluate(emptied_store(), [entry for *_, entry in sent])
    return [
        Judged(case=case, spans=spans, query_ms=query_ms, findings=found.get(entry.trace_id, ()))
        for case, spans, query_ms, entry in sent
    ]


def _entry(case: Case, spans: Spans, query_ms: float) -> EntrySpans:
    entry = EntrySpans(
        enriched=spans != "stock", each_param=spans == "enriched", query_ms=query_ms, task=case.task
    )
    case.build(entry)
    return entry


def repetition_rules() -> Catalogue:
    """Return the rules about repetition, which exclude each other."""
    return Catalogue(
        {name: rule for name, rule in load_catalogue().rules.items() if name in REPETITION}
    )


def evaluate(
    store: SpanStore, entries: Iterable[EntrySpans], *, catalogue: Catalogue | None = None
) -> Mapping[str, Sequence[Finding]]:
    """Return the findings in each entry, by the id of its trace."""
    catalogue = catalogue or repetition_rules()
    bodies = [entry.body() for entry in entries]
    store.insert_spans(b"".join(bodies), token=str(id(bodies)))
    report = Evaluator(
        store,
        catalogue=catalogue,
        timing=Timing(settle_ms=0, settle_incomplete_ms=0, look_back_ms=5_000),
        open_after_hits=1,
    ).tick()
    if report.failed_rules:
        raise AssertionError(report.failed_rules)
    found: dict[str, list[Finding]] = defaultdict(list)
    for row in store.rows("SELECT * FROM current_findings ORDER BY rule, identity, code_line"):
        finding = finding_from_row(catalogue, row)
        found[finding.trace_id].append(finding)
    return found
