"""Measures the rules on labelled cases: `make eval`.

A finding that a case does not expect lowers its rule's precision; one that is expected and not
there lowers its recall. Made-up cases are sent at four speeds of the database, and so are those
recorded ones that are about it.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from rules.judging import ENRICHED, STOCK, Verdict, verdicts

# (precision, recall) that all rules together must reach.
LEAST = {ENRICHED: (0.98, 0.95), STOCK: (0.95, 0.85)}
LEAST_CASES = 150


@dataclass(frozen=True, slots=True)
class Score:
    """How often each rule was right, wrong, and not there."""

    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        self.right.update(verdict.right)
        self.wrong.update(verdict.wrong)
        self.missed.update(verdict.missed)

    def rules(self) -> list[str]:
        return sorted({*self.right, *self.wrong, *self.missed})

    def reaches(self, least: tuple[float, float]) -> bool:
        right, wrong, missed = self.right.total(), self.wrong.total(), self.missed.total()
        return precision(right, wrong) >= least[0] and recall(right, missed) >= least[1]


def main() -> int:
    """Print what is wrong, and a table a kind of spans; return 1 when one is below its least."""
    judged = list(verdicts())
    lines: list[str] = []
    failed = False
    for kind, least in LEAST.items():
        of_kind = [each for each in judged if each.spans == kind]
        score = Score()
        for verdict in of_kind:
            score.add(verdict)
        lines += [*mistakes(of_kind), *table(kind, of_kind, score), ""]
        failed |= not score.reaches(least)
    cases = {each.case for each in judged}
    clean = cases - {each.case for each in judged if each.expected}
    lines.append(f"{len(cases)} cases, {len(clean)} of them clean")
    failed |= len(cases) < LEAST_CASES
    sys.stdout.write("\n".join(lines) + "\n")
    return int(failed)


def mistakes(judged: Sequence[Verdict]) -> list[str]:
    return [
        f"{rule} {what} in {each.sent}"
        for each in judged
        for what, rules in (("is wrong", each.wrong), ("is missed", each.missed))
        for rule in sorted(rules)
    ]


def table(kind: str, judged: Sequence[Verdict], score: Score) -> list[str]:
    totals = (score.right.total(), score.wrong.total(), score.missed.total())
    return [
        f"{kind} spans, {len(judged)} entries",
        f"{'rule':<30}{'right':>7}{'wrong':>7}{'missed':>8}{'precision':>11}{'recall':>8}",
        *(
            row(rule, score.right[rule], score.wrong[rule], score.missed[rule])
            for rule in score.rules()
        ),
        row("all", *totals),
    ]


def row(name: str, right: int, wrong: int, missed: int) -> str:
    shares = f"{precision(right, wrong):>11.3f}{recall(right, missed):>8.3f}"
    return f"{name:<30}{right:>7}{wrong:>7}{missed:>8}{shares}"


def precision(right: int, wrong: int) -> float:
    return right / (right + wrong) if right + wrong else 1.0


def recall(right: int, missed: int) -> float:
    return right / (right + missed) if right + missed else 1.0


if __name__ == "__main__":
    sys.exit(main())
