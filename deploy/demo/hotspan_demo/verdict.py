"""Was everything found that must be found, and nothing else?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hotspan_demo.cases import SERVICE_WIDE_RULES
from hotspan_demo.model import ANY_ENTRY, Case, Clean, Pair

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from hotspan_collector.api.models import Finding

__all__ = ["CleanVerdict", "PairVerdict", "Verdict", "judge"]

PairStatus = Literal["found", "missing", "later"]


@dataclass(frozen=True, slots=True)
class PairVerdict:
    """Whether a pair of case and rule was found; `reason` says what a finding lacked."""

    case: str
    pair: Pair
    status: PairStatus
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CleanVerdict:
    """A clean page or task, and what was found in it nevertheless."""

    clean: Clean
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement about a run."""

    pairs: Sequence[PairVerdict]
    clean: Sequence[CleanVerdict]
    has_problems: bool

    @property
    def passed(self) -> bool:
        """Every pair whose rule exists is found (1.0.0) or gone (1.1.0), and clean is clean."""
        return not self.unexpected and not any(verdict.findings for verdict in self.clean)

    @property
    def unexpected(self) -> list[PairVerdict]:
        if self.has_problems:
            return [pair for pair in self.pairs if pair.status == "missing"]
        return [pair for pair in self.pairs if pair.status == "found" and not pair.pair.remains]


def judge(
    findings: Sequence[Finding],
    *,
    cases: Sequence[Case],
    clean: Sequence[Clean],
    rules: Collection[str],
    has_problems: bool,
) -> Verdict:
    """Compare what was found with what must be found.

    Args:
        findings: What was found.
        cases: What must be found when the release has its problems.
        clean: Where nothing may be found.
        rules: The rules that exist; pairs of others come later.
        has_problems: The release has the problems, or their fixes.

    """
    pairs = [
        judge_pair(case, pair, findings, rules, strict=has_problems)
        for case in cases
        for pair in case.pairs
    ]
    return Verdict(pairs, [judge_clean(page, findings) for page in clean], has_problems)


def judge_pair(
    case: Case, pair: Pair, findings: Sequence[Finding], rules: Collection[str], *, strict: bool
) -> PairVerdict:
    if pair.rule not in rules:
        return PairVerdict(case.id, pair, "later")
    of_pair = [finding for finding in findings if belongs(finding, pair)]
    if not of_pair:
        return PairVerdict(case.id, pair, "missing", "nothing was found")
    # A fix must make all of it go away, also what would not be enough for the problem.
    lacks = [lack(finding, pair) for finding in of_pair] if strict else [""]
    if "" in lacks:
        return PairVerdict(case.id, pair, "found")
    return PairVerdict(case.id, pair, "missing", "; ".join(lacks))


def belongs(finding: Finding, pair: Pair) -> bool:
    return finding.rule == pair.rule and same_entry(finding.entry, pair.entry)


def same_entry(name: str, expected: str) -> bool:
    """Tasks are known as `run/name`, as published, or by their name alone."""
    return expected in (ANY_ENTRY, name) or task_name(name) == task_name(expected)


def task_name(name: str) -> str:
    return name.removeprefix("run/").removeprefix("apply_async/")


def lack(finding: Finding, pair: Pair) -> str:
    """What a finding lacks to be the one that the pair asks for; empty when nothing."""
    if finding.count < pair.count:
        return f"its count is {finding.count} instead of {pair.count} or more"
    if pair.words and not any(word in finding.suggestion for word in pair.words):
        return f"its suggestion names none of {', '.join(pair.words)}: {finding.suggestion!r}"
    if pair.file and not (finding.code and finding.code.file.endswith(pair.file)):
        where = finding.code.file if finding.code else "nothing"
        return f"it points to {where} instead of {pair.file}"
    return ""


def judge_clean(clean: Clean, findings: Sequence[Finding]) -> CleanVerdict:
    allowed = clean.except_rules | SERVICE_WIDE_RULES
    return CleanVerdict(
        clean,
        [
            finding
            for finding in findings
            if same_entry(finding.entry, clean.trigger.entry) and finding.rule not in allowed
        ],
    )
