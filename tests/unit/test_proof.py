"""How many entries prove a fix, and which releases they may be of."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspan_collector.rules.proof import (
    Baseline,
    Release,
    Runs,
    entries_needed,
    newer_releases,
    prove,
)

BEFORE = Baseline(hits=25, entries=100, queries=20, duration_ns=2e8, lost_ns_a_day=3e9)


@pytest.mark.parametrize(
    ("hit_rate", "needed"), [(1.0, 5), (0.9, 5), (0.5, 7), (0.1, 44), (0.001, 4603)]
)
def test_the_rarer_the_problem_the_more_entries(hit_rate, needed):
    """One per cent is what chance may have."""
    assert entries_needed(hit_rate, least=5) == needed


@given(st.floats(1e-6, 1), st.integers(1, 50))
def test_chance_has_one_per_cent(hit_rate, least):
    """So many entries without a hit are that rare when nothing is fixed."""
    needed = entries_needed(hit_rate, least=least)

    assert needed >= least
    assert hit_rate == 1 or needed * math.log1p(-hit_rate) <= math.log(0.01) + 1e-6


def release(version, first, last=99):
    return Release(version=version, first_seen_ms=first, last_seen_ms=last)


A, B, C = release("a", 10), release("b", 20), release("c", 30)


@pytest.mark.parametrize(
    ("hit", "last_hit", "newer"),
    [
        (("a",), 15, ["b", "c"]),
        # the old side of a roll-out is still hit while the new one runs
        (("a",), 25, ["b", "c"]),
        (("a", "b"), 25, ["c"]),
        # an old release that was never hit is not newer
        (("b",), 25, ["c"]),
        (("c",), 35, []),
        # releases that are not known, or without a version, are as old as their last hit
        (("",), 25, ["c"]),
        (("", "a"), 15, ["b", "c"]),
        (("gone",), 5, ["a", "b", "c"]),
    ],
)
def test_a_fix_lies_in_releases_newer_than_all_that_were_hit(hit, last_hit, newer):
    """Releases have no order but the time they were first seen."""
    found = newer_releases([C, A, B], hit_versions=hit, last_hit_ms=last_hit)

    assert [each.version for each in found] == newer


def test_a_proof_says_before_and_after():
    """With the share of entries that were hit, and how many it takes."""
    runs = Runs(entries=17, queries=2, duration_ns=3e7)

    proof = prove(BEFORE, runs, releases=["1.1.0"], since_ms=5, least=5)

    assert (proof.hit_rate, proof.entries, proof.entries_needed) == (0.25, 17, 17)
    assert (proof.queries_before, proof.queries_after) == (20, 2)
    assert (proof.duration_ns_before, proof.duration_ns_after) == (2e8, 3e7)
    assert (proof.lost_ns_a_day_before, proof.releases, proof.since_ms) == (3e9, ("1.1.0",), 5)
    assert proof.is_enough


def test_a_proof_goes_on_from_what_was_known():
    """What it was like before is measured once: those entries may be gone later."""
    some = prove(
        BEFORE,
        Runs(entries=3, queries=2, duration_ns=1),
        releases=["1.1.0"],
        since_ms=5,
        least=5,
    )

    more = prove(
        some,
        Runs(entries=30, queries=3, duration_ns=1),
        releases=["1.1.0", "1.2.0"],
        since_ms=5,
        least=5,
    )

    assert (some.is_enough, more.is_enough) == (False, True)
    assert (more.queries_before, more.queries_after, more.entries_needed) == (20, 3, 17)
