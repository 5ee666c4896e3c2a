"""`make eval`: its count of right, wrong and missed findings, and its verdict."""

import pytest
from rules import eval as evaluation
from rules.eval import Score, mistakes
from rules.judging import ENRICHED, Verdict


def judged(*, found: set[str], expected: set[str], **values: object) -> Verdict:
    return Verdict(
        case="a", sent="a, enriched", spans=ENRICHED, found=found, expected=expected, **values
    )


def test_counts_by_rule():
    """What is found and expected is right; the rest is wrong or missed, by rule."""
    score = Score()
    score.add(judged(found={"n_plus_one", "slow_query"}, expected={"n_plus_one", "write_loop"}))

    assert (score.right, score.wrong, score.missed) == (
        {"n_plus_one": 1},
        {"slow_query": 1},
        {"write_loop": 1},
    )


def test_leaves_out_what_is_arguable():
    """What a case tolerates, and rules that it is not about, count on neither side."""
    score = Score()
    score.add(judged(found={"blocking_time"}, expected=set(), tolerated={"blocking_time"}))
    score.add(judged(found={"blocking_time"}, expected=set(), judges={"slow_query"}))

    assert score.rules() == []


@pytest.mark.parametrize(
    ("right", "wrong", "missed", "reached"),
    [(98, 2, 0, True), (97, 3, 0, False), (95, 0, 5, True), (94, 0, 6, False), (0, 0, 0, True)],
)
def test_verdict(right, wrong, missed, reached):
    """Both precision and recall must reach what is asked."""
    score = Score()
    score.right["n_plus_one"] = right
    score.wrong["n_plus_one"] = wrong
    score.missed["n_plus_one"] = missed

    assert score.reaches((0.98, 0.95)) is reached


def test_names_mistakes():
    """Each mistake is told with its case, so that it can be looked at."""
    assert mistakes([judged(found={"slow_query"}, expected={"n_plus_one"})]) == [
        "slow_query is wrong in a, enriched",
        "n_plus_one is missed in a, enriched",
    ]


@pytest.mark.slow
def test_the_rules_reach_it(capsys):
    """At least 150 cases, and precision and recall as asked on enriched and on stock spans."""
    assert evaluation.main() == 0, capsys.readouterr().out
