"""What people say of violations, and when ignoring ends."""

from dataclasses import replace

import pytest

from hotspan_collector.rules.actions import ALLOWED, Action, act, end_ignoring
from hotspan_collector.rules.proof import Release
from hotspan_collector.rules.violation import Ignoring

from .test_lifecycle import FOUND, NOW_MS, PROOF

OPEN = replace(FOUND, status="open", hits=10, opened_at_ms=7)
IGNORED = replace(OPEN, status="ignored", ignoring=Ignoring(at_ms=NOW_MS, hits=10, lost_ns=3e7))


def action(name, **values):
    return Action(id="a1", fingerprint="v1:1", at_ms=NOW_MS, action=name, by="ada", **values)


@pytest.mark.parametrize(
    ("name", "known", "status"),
    [
        ("acknowledge", OPEN, "acknowledged"),
        ("ignore", OPEN, "ignored"),
        ("unignore", IGNORED, "open"),
        ("reopen", replace(OPEN, status="verified_fixed", proof=PROOF), "open"),
        ("resolve", OPEN, "resolving"),
    ],
)
def test_what_somebody_says_is_done_in_their_name(name, known, status):
    """The state says who, when and why; the change bears the action's id."""
    row, change = act(known, action(name, reason="because"))

    assert (row.status, row.changed_by, row.reason) == (status, "ada", "because")
    assert (row.changed_at_ms, change.id, change.previous) == (NOW_MS, "a1", known.status)
    assert row.proof is None
    assert not change.alerts


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_not_allowed_does_nothing(name):
    """It may have become so between the click and the tick; the action counts as done."""
    pending = replace(FOUND, status="pending")

    row, change = act(pending, action(name))

    assert (row, change.id) == (pending, "a1")


def test_a_word_is_remembered_with_its_time():
    """Entries from then on are counted."""
    row, _ = act(OPEN, action("resolve"))

    assert row.claimed_at_ms == NOW_MS


def test_ignoring_begins_with_what_there_is():
    """More hits and more impact are counted from when it was said."""
    row, _ = act(OPEN, action("ignore", ignoring=Ignoring(at_ms=NOW_MS, more_hits=5)))

    assert row.ignoring == Ignoring(at_ms=NOW_MS, hits=10, lost_ns=3e7, more_hits=5)


NEXT = Release(version="1.1.0", first_seen_ms=NOW_MS + 1, last_seen_ms=NOW_MS + 2)
OLD = Release(version="1.0.0", first_seen_ms=NOW_MS - 1, last_seen_ms=NOW_MS + 2)


@pytest.mark.parametrize(
    ("until", "now", "releases", "why"),
    [
        ({}, {"hits": 99}, [NEXT], None),
        ({"until_ms": NOW_MS + 60}, {}, [], None),
        ({"until_ms": NOW_MS + 50}, {}, [], "its time is over"),
        ({"more_hits": 5}, {"hits": 14}, [], None),
        ({"more_hits": 5}, {"hits": 15}, [], "5 more hits"),
        ({"impact_factor": 2.0}, {"lost_ns_last_day": 6e7}, [], None),
        (
            {"impact_factor": 2.0},
            {"lost_ns_last_day": 7e7},
            [],
            "it costs more than 2 times what it did",
        ),
        ({"next_release": True}, {}, [OLD], None),
        ({"next_release": True}, {}, [OLD, NEXT], "release 1.1.0"),
        ({"until_ms": NOW_MS + 60, "more_hits": 5}, {"hits": 15}, [], "5 more hits"),
    ],
)
def test_ignoring_ends_by_what_comes_first(until, now, releases, why):
    """It is open again, says why, and is told."""
    known = replace(IGNORED, ignoring=replace(IGNORED.ignoring, **until), **now)

    row, change = end_ignoring(known, releases=releases, now_ms=NOW_MS + 50)

    if why is None:
        assert (row, change) == (known, None)
    else:
        assert (row.status, row.reason, row.ignoring) == ("open", why, None)
        assert (change.event, change.alerts) == ("opened", True)
