"""The rules on what real processes sent (tests/corpus): what must be found is, and nothing else."""

import functools
from collections.abc import Sequence

import pytest
from rules.judging import Verdict, verdicts_on_files, verdicts_on_recordings

from support.labels import recordings, scenarios


@functools.cache
def judged() -> Sequence[Verdict]:
    """All recordings as they are; `make eval` judges some at other speeds, too."""
    return list(verdicts_on_recordings(()))


@pytest.mark.parametrize("recording", [each.name for each in recordings()])
@pytest.mark.parametrize("mistake", ["wrong", "missed"])
def test_finds_what_a_recording_has(recording, mistake):
    """Each scenario of each recording gets the findings that its label says."""
    mistakes = {
        each.sent: found
        for each in judged()
        if recording in each.sent and (found := getattr(each, mistake))
    }

    assert mistakes == {}


def test_finds_nothing_beside_the_scenarios():
    """What processes do by themselves is nobody's problem."""
    assert [each.found for each in judged() if each.case == "beside the scenarios"] == []


def test_finds_what_older_recordings_have():
    """The same by files."""
    judged = list(verdicts_on_files())

    assert [
        (each.sent, each.wrong, each.missed) for each in judged if each.wrong or each.missed
    ] == []


def test_half_of_the_scenarios_are_clean():
    """Nearly half of what is recorded is right, and looks guilty."""
    clean = [
        each for each in scenarios() if not {rule.split("@")[0] for rule in each.finds} - _INVENTORY
    ]

    assert len(clean) >= 0.4 * len(scenarios())


# Says of each task that it has no retry policy, not that something went wrong.
_INVENTORY = {"task_without_retry"}
