"""Measures the rules about repetition on the labelled cases: `make eval`.

A finding that a case does not expect lowers its rule's precision; one that is expected and not
there lowers its recall. Every case is sent at four speeds of the database.
"""

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from rules.findings import REPETITION, Judged, judge_cases

# (precision, recall) that all rules together must reach.
LEAST = {"enriched": (0.98, 0.95), "stock": (0.95, 0.85)}


def main() -> int:
    """Print a table a kind of spans; return 1 when one is below what it must reach."""
    failed = False
    lines: list[str] = []
    for kind, least in LEAST.items():
        judged = [each for each in judge_cases() if (each.spans == "stock") == (kind == "stock")]
        right, wrong, missed = count(judged)
        totals = (right.total(), wrong.total(), missed.total())
        lines += [
            f"{kind} spans, {len(judged)} entries",
            f"{'rule':<20}{'right':>7}{'wrong':>7}{'missed':>8}{'precision':>11}{'recall':>8}",
            *(row(rule, right[rule], wrong[rule], missed[rule]) for rule in REPETITION),
            row("all", *totals),
            "",
        ]
        failed |= precision(*totals[:2]) < least[0] or recall(totals[0], totals[2]) < least[1]
    sys.stdout.write("\n".join(lines))
    return int(failed)


def count(judged: Iterable[Judged]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Return how often each rule was right, wrong, and not there."""
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for each in judged:
        found, expected = each.found.keys(), each.expected.keys()
        right.update(found & expected)
        wrong.update(found - expected)
        missed.update(expected - found)
    return right, wrong, missed


def row(name: str, right: int, wrong: int, missed: int) -> str:
    shares = f"{precision(right, wrong):>11.3f}{recall(right, missed):>8.3f}"
    return f"{name:<20}{right:>7}{wrong:>7}{missed:>8}{shares}"


def precision(right: int, wrong: int) -> float:
    return right / (right + wrong) if right + wrong else 1.0


def recall(right: int, missed: int) -> float:
    return right / (right + missed) if right + missed else 1.0


if __name__ == "__main__":
    sys.exit(main())
