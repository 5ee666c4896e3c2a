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
from hotspan_collector.rules.catalogue import Catalogue
from hotspan_collector.rules.evaluator import Evaluator, Timing
from hotspan_collector.store.port import SpanStore
from support.embedded import emptied_store
from support.evaluations import shipped_catalogue

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
    all_found: Sequence[Finding]

    @property
    def findings(self) -> Sequence[Finding]:
        """What the rules about repetition find."""
        return [finding for finding in self.all_found if finding.rule in REPETITION]

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
    """Evaluate every case by all structural rules, in all ways of sending it, at once."""
    sent = [
        (case, spans, query_ms, _entry(case, spans, query_ms))
        for case in CASES
        for spans in KINDS_OF_SPANS
        for query_ms in LATENCIES_MS
    ]
    bodies = [entry.body() for *_, entry in sent]
    found = evaluate_bodies(emptied_store(), bodies, catalogue=structural_rules())
    return [
        Judged(case=case, spans=spans, query_ms=query_ms, all_found=found.get(entry.trace_id, ()))
        for case, spans, query_ms, entry in sent
    ]


def _entry(case: Case, spans: Spans, query_ms: float) -> EntrySpans:
    entry = EntrySpans(
        enriched=spans != "stock",
        each_param=spans == "enriched",
        stable=query_ms in LATENCIES_MS[1::2],
        query_ms=query_ms,
        task=case.task,
        command=case.command,
        system=case.system,
    )
    case.build(entry)
    return entry


def repetition_rules() -> Catalogue:
    """Return the rules about repetition, which exclude each other."""
    rules = shipped_catalogue().rules
    return Catalogue({name: rule for name, rule in rules.items() if name in REPETITION})


def structural_rules() -> Catalogue:
    """Return the rules that look at one entry at a time."""
    rules = shipped_catalogue().rules
    return Catalogue({name: rule for name, rule in rules.items() if rule.kind == "structural"})


def evaluate(store: SpanStore, entries: Iterable[EntrySpans]) -> Mapping[str, Sequence[Finding]]:
    """Return what is repeated in each entry, by the id of its trace."""
    bodies = [entry.body() for entry in entries]
    return evaluate_bodies(store, bodies, catalogue=repetition_rules())


def evaluate_bodies(
    store: SpanStore, bodies: Sequence[bytes], *, catalogue: Catalogue
) -> Mapping[str, Sequence[Finding]]:
    """Store serialized requests, and return the findings in each trace, by its id."""
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
