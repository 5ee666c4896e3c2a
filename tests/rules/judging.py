"""All labelled cases, however they are written down, judged alike: what `make eval` counts."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from rules import test_slower_query, test_window_data, test_window_requests, test_window_tasks
from rules.findings import LATENCIES_MS, evaluate_bodies, judge_cases, structural_rules
from rules.recorded import recorded_cases
from rules.single_rules import CASES as SINGLE_CASES
from rules.single_rules import found_in_single
from rules.window_cases import CASES as WINDOW_CASES
from rules.window_cases import found_in

from support import corpus
from support.embedded import emptied_store
from support.labels import files
from support.rule_cases import Node

# Whose cases stand where they are tested.
_WINDOW_TESTS = (test_slower_query, test_window_data, test_window_requests, test_window_tasks)

ENRICHED = "enriched"
STOCK = "stock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What rules found in a case, and what they must and may find.

    Attributes:
        case: its name; several verdicts are about one case, sent in several ways.
        sent: the case, and how it was sent.
        judges: the rules that it is about; None: all.

    """

    case: str
    sent: str
    spans: str
    found: Collection[str]
    expected: Collection[str]
    tolerated: Collection[str] = ()
    judges: Collection[str] | None = None

    @property
    def right(self) -> set[str]:
        return self._judged(set(self.found) & set(self.expected))

    @property
    def wrong(self) -> set[str]:
        return self._judged(set(self.found) - set(self.expected) - set(self.tolerated))

    @property
    def missed(self) -> set[str]:
        return self._judged(set(self.expected) - set(self.found))

    def _judged(self, rules: set[str]) -> set[str]:
        return rules if self.judges is None else rules.intersection(self.judges)


def verdicts() -> Iterator[Verdict]:
    """Judge every case of every kind."""
    yield from verdicts_on_made_entries()
    yield from verdicts_on_single_rules()
    yield from verdicts_on_recordings(LATENCIES_MS)
    yield from verdicts_on_files()
    yield from verdicts_on_windows()


def verdicts_on_made_entries() -> Iterator[Verdict]:
    """Judge the entries that are about repetition, by all rules."""
    for each in judge_cases():
        case = each.case
        yield Verdict(
            case=case.name,
            sent=f"{case.name}, {each.spans}, {each.query_ms} ms a query",
            spans=STOCK if each.spans == "stock" else ENRICHED,
            found={finding.rule for finding in each.all_found},
            expected={*each.expected, *case.also},
            tolerated=case.may,
        )


def verdicts_on_single_rules() -> Iterator[Verdict]:
    """Judge the cases that are about one rule each, by that rule."""
    found = found_in_single()
    for rule_id, cases in SINGLE_CASES.items():
        for case in cases:
            yield Verdict(
                case=f"{rule_id}: {case.title}",
                sent=f"{rule_id}: {case.title}",
                spans=ENRICHED if _is_enriched(case.entry) else STOCK,
                found={rule_id} if found[rule_id][case.title] else (),
                expected={rule_id} if case.finds else (),
                judges={rule_id},
            )


def verdicts_on_recordings(speeds_ms: Sequence[float]) -> Iterator[Verdict]:
    """Judge what real processes have sent, by all rules."""
    cases, body = recorded_cases(speeds_ms)
    found = evaluate_bodies(emptied_store(), [body], catalogue=structural_rules())
    for case in cases:
        recording = case.recording
        yield Verdict(
            case=f"{case.scenario.name} ({recording.name})",
            sent=case.name,
            spans=recording.instrumentation,
            found={finding.rule for finding in found.get(case.trace_id, ())},
            expected=case.scenario.expected(recording),
            tolerated=case.scenario.tolerated(recording),
        )
    known = {case.trace_id for case in cases}
    for trace_id in found.keys() - known:
        yield Verdict(
            case="beside the scenarios",
            sent=f"trace {trace_id}",
            spans=ENRICHED,
            found={finding.rule for finding in found[trace_id]},
            expected=(),
        )


def verdicts_on_files() -> Iterator[Verdict]:
    """Judge the older recordings, by all rules."""
    requests = {each.name: corpus.scenario(each.name) for each in files()}
    bodies = [request.SerializeToString() for its in requests.values() for request in its]
    found = evaluate_bodies(emptied_store(), bodies, catalogue=structural_rules())
    for each in files():
        yield Verdict(
            case=each.name,
            sent=each.name,
            spans=STOCK,
            found={
                finding.rule
                for trace_id in corpus.trace_ids(requests[each.name])
                for finding in found.get(trace_id, ())
            },
            expected=each.finds,
            tolerated=each.may_find,
        )


def verdicts_on_windows() -> Iterator[Verdict]:
    """Judge the cases of rules over windows, by the rule that each is about."""
    for rule_id, cases in WINDOW_CASES.items():
        for case in cases:
            found = found_in(rule_id, case)
            yield Verdict(
                case=f"{rule_id}: {case.name}",
                sent=f"{rule_id}: {case.name}",
                spans=ENRICHED,
                found={rule_id} if found else (),
                expected={rule_id} if case.found else (),
                judges={rule_id},
            )


def _is_enriched(node: Node) -> bool:
    return any(name.startswith(("hotspan.", "code.file")) for name in node.attributes) or any(
        _is_enriched(child) for child in node.children
    )
