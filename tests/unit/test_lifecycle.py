from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspan_collector.rules.lifecycle import Policy, decide, fall_silent, weigh
from hotspan_collector.rules.proof import Proof, Release
from hotspan_collector.rules.violation import Change, Ignoring, ViolationRow

NOW_MS = 1_790_000_000_000
FOUND = ViolationRow(
    fingerprint="v1:1",
    rule="n_plus_one",
    status="pending",
    service="shop",
    namespace="",
    environment="production",
    entry_kind="web",
    entry_name="GET orders/",
    severity="warning",
    confidence="medium",
    hits=1,
    max_count=20,
    mean_wasted_ns=3e7,
    lost_ns_last_day=3e7,
    first_seen_ms=NOW_MS - 5_000,
    last_seen_ms=NOW_MS - 5_000,
    first_version="1.0.0",
    last_version="1.0.0",
    hit_versions=("1.0.0",),
)
POLICY = Policy(open_after_hits=3, opens_at_once=False, critical_hits_per_hour=0)
PROOF = Proof(
    releases=("1.1.0",),
    since_ms=NOW_MS - 4_000,
    entries=5,
    entries_needed=5,
    hit_rate=1.0,
    queries_before=20,
    queries_after=2,
    duration_ns_before=2e8,
    duration_ns_after=3e7,
    lost_ns_a_day_before=3e9,
)
OLD = Release(version="1.0.0", first_seen_ms=NOW_MS - 9_000, last_seen_ms=NOW_MS - 5_000)
FIXED = Release(version="1.1.0", first_seen_ms=NOW_MS - 4_000, last_seen_ms=NOW_MS - 1_000)
NEXT = Release(version="1.2.0", first_seen_ms=NOW_MS - 500, last_seen_ms=NOW_MS)
VERIFIED = replace(
    FOUND, status="verified_fixed", proof=PROOF, fixed_at_ms=NOW_MS - 2_000, opened_at_ms=7
)
STATUSES = [
    "pending",
    "open",
    "acknowledged",
    "ignored",
    "resolving",
    "verified_fixed",
    "regressed",
    "resolved",
]

rows = st.builds(
    replace,
    st.just(FOUND),
    status=st.sampled_from(STATUSES),
    severity=st.sampled_from(["info", "warning", "critical"]),
    quiet=st.booleans(),
    hits=st.integers(0, 50),
    last_seen_ms=st.integers(NOW_MS - 10_000, NOW_MS),
    hit_versions=st.sampled_from([(), ("1.0.0",), ("1.0.0", "1.1.0"), ("1.2.0",)]),
    opened_at_ms=st.none() | st.integers(0, NOW_MS),
    claimed_at_ms=st.none() | st.integers(NOW_MS - 9_000, NOW_MS),
    proof=st.none() | st.just(PROOF) | st.just(replace(PROOF, releases=())),
    fixed_at_ms=st.none() | st.just(NOW_MS - 2_000),
    ignoring=st.none() | st.builds(Ignoring, at_ms=st.just(NOW_MS - 900), more_hits=st.just(3)),
)
policies = st.builds(
    Policy,
    open_after_hits=st.integers(1, 5),
    opens_at_once=st.booleans(),
    critical_hits_per_hour=st.integers(0, 5),
    withdraws=st.booleans(),
)
hits = st.integers(0, 20)


def judge(found=FOUND, known=None, *, policy=POLICY, last_day=1, last_hour=1, releases=()):
    return decide(
        found,
        known,
        policy=policy,
        hits_last_day=last_day,
        hits_last_hour=last_hour,
        now_ms=NOW_MS,
        releases=releases,
    )


@pytest.mark.parametrize(("last_day", "status"), [(1, "pending"), (2, "pending"), (3, "open")])
def test_it_opens_after_enough_hits_in_a_day(last_day, status):
    """A single slow page is nobody's work; the third is."""
    row, change = judge(last_day=last_day)

    assert row.status == status
    assert (change is not None) == (status == "open")


def test_a_critical_one_opens_at_once():
    """One hit is enough when it is critical."""
    row, _ = judge(replace(FOUND, severity="critical"))

    assert (row.status, row.opened_at_ms) == ("open", NOW_MS)


def test_a_rule_about_tasks_opens_at_once():
    """One failed task is enough."""
    row, _ = judge(policy=replace(POLICY, opens_at_once=True))

    assert row.status == "open"


@pytest.mark.parametrize(("last_hour", "severity"), [(9, "warning"), (10, "critical")])
def test_many_hits_an_hour_make_it_critical(last_hour, severity):
    """A rule may say from how many hits an hour on a violation is critical."""
    policy = replace(POLICY, opens_at_once=True, critical_hits_per_hour=10)

    row, _ = judge(policy=policy, last_day=20, last_hour=last_hour)

    assert row.severity == severity


@pytest.mark.parametrize("status", ["open", "acknowledged", "regressed"])
def test_what_is_open_is_told_once(status):
    """Further hits are no news, and keep the state, whose word it is and when it was opened."""
    known = replace(FOUND, status=status, opened_at_ms=7, changed_by="ada", reason="mine")

    row, change = judge(known=known, last_day=9)

    assert (row.status, row.opened_at_ms, row.changed_by, row.reason) == (status, 7, "ada", "mine")
    assert change is None


def test_what_was_quiet_is_told_again_when_it_is_hit_again():
    """It was open all the time; its alert fires again."""
    known = replace(
        FOUND, status="open", quiet=True, opened_at_ms=7, last_seen_ms=FOUND.last_seen_ms - 1
    )

    row, change = judge(known=known, last_day=3)

    assert (row.status, row.quiet, row.opened_at_ms) == ("open", False, NOW_MS)
    assert change == Change("opened", row, "open")


def test_what_is_acknowledged_wakes_nobody():
    """Somebody has taken it: its next hit is no news."""
    known = replace(FOUND, status="acknowledged", quiet=True, last_seen_ms=FOUND.last_seen_ms - 1)

    row, change = judge(known=known, last_day=3)

    assert (row.status, row.quiet, change) == ("acknowledged", False, None)


def test_what_was_quiet_stays_so_without_a_new_hit():
    """Evaluating the same entry again is no new hit."""
    row, change = judge(known=replace(FOUND, status="open", quiet=True), last_day=3)

    assert (row.status, row.quiet) == ("open", True)
    assert change is None


def test_silence_is_told_once_and_is_no_fix():
    """The alert rests; the violation stays open and remembers when it was opened."""
    row, change = fall_silent(replace(FOUND, status="open", opened_at_ms=7))

    assert (row.status, row.quiet, row.opened_at_ms) == ("open", True, 7)
    assert change == Change("resolved", row, "open")


def test_a_violation_without_findings_is_none():
    """Late spans may show that there was nothing."""
    row, change = judge(replace(FOUND, hits=0), replace(FOUND, status="open"), last_day=0)

    assert (row.status, change.event) == ("pending", "resolved")


def test_enough_entries_prove_a_fix():
    """It is told, with the release, and costs nothing any more."""
    row, change = weigh(replace(FOUND, status="resolving"), PROOF, now_ms=NOW_MS)

    assert (row.status, row.fixed_at_ms, row.lost_ns_last_day) == ("verified_fixed", NOW_MS, 0)
    assert (change.event, change.alerts) == ("fixed", True)
    assert "5 entries of 1.1.0" in row.reason


@pytest.mark.parametrize("status", ["open", "acknowledged", "regressed"])
def test_some_entries_are_progress(status):
    """Seventeen of forty-four are no proof: nobody is told, and everybody can see it."""
    proof = replace(PROOF, entries=17, entries_needed=44)

    row, change = weigh(replace(FOUND, status=status), proof, now_ms=NOW_MS)

    assert (row.status, row.proof, change.event) == ("resolving", proof, "resolving")
    assert not change.alerts


def test_what_is_ignored_stays_ignored_until_it_is_proven():
    """Progress does not bring it back into the list; a proof ends it."""
    ignored = replace(FOUND, status="ignored", ignoring=Ignoring(at_ms=NOW_MS))

    some, _ = weigh(ignored, replace(PROOF, entries=4), now_ms=NOW_MS)
    proven, _ = weigh(some, PROOF, now_ms=NOW_MS)

    assert (some.status, proven.status) == ("ignored", "verified_fixed")


def test_no_entry_is_no_progress():
    """A release that nobody has used shows nothing."""
    known = replace(FOUND, status="open")

    assert weigh(known, replace(PROOF, entries=0), now_ms=NOW_MS) == (known, None)


def test_the_old_side_of_a_roll_out_disproves_nothing():
    """A hit in a release that is known to have the problem leaves the fix on its way."""
    known = replace(FOUND, status="resolving", proof=replace(PROOF, entries=2))

    row, change = judge(replace(FOUND, last_seen_ms=NOW_MS), known, last_day=9)

    assert (row.status, change) == ("resolving", None)


def test_a_hit_in_the_new_release_disproves():
    """It is open again, and what was counted counts no more."""
    known = replace(FOUND, status="resolving", proof=replace(PROOF, entries=2))
    found = replace(
        FOUND, last_seen_ms=NOW_MS, hit_versions=("1.0.0", "1.1.0"), last_version="1.1.0"
    )

    row, change = judge(found, known, last_day=9)

    assert (row.status, row.proof, row.reason) == ("open", None, "hit in 1.1.0")
    assert change.event == "reopened"


def test_a_hit_takes_a_word_back():
    """Somebody said that it is fixed, and it is hit after that."""
    known = replace(FOUND, status="resolving", claimed_at_ms=NOW_MS - 3_000)

    before, _ = judge(FOUND, known, last_day=9)
    after, _ = judge(replace(FOUND, last_seen_ms=NOW_MS), known, last_day=9)

    assert (before.status, after.status, after.claimed_at_ms) == ("resolving", "open", None)


@pytest.mark.parametrize("version", ["1.1.0", "1.2.0"])
def test_a_hit_in_a_release_that_is_not_older_is_a_regression(version):
    """The release that brought it is named, and it alerts at the first hit."""
    found = replace(FOUND, hit_versions=("1.0.0", version), last_seen_ms=NOW_MS)

    row, change = judge(found, VERIFIED, last_day=1, releases=[OLD, FIXED, NEXT])

    assert (row.status, row.regressed_version) == ("regressed", version)
    assert (change.event, change.alerts) == ("regressed", True)


def test_a_hit_in_an_older_release_never_is_a_regression():
    """The old side of a roll-out goes on being hit for a while."""
    found = replace(FOUND, last_seen_ms=NOW_MS)

    row, change = judge(found, VERIFIED, last_day=99, releases=[OLD, FIXED])

    assert (row.status, change) == ("verified_fixed", None)


def test_a_roll_back_opens_it_again():
    """An older release is hit, and the fixed one has not run for long: no release brought it."""
    later_ms = FIXED.last_seen_ms + POLICY.rollback_after_ms + 1

    row, change = judge(
        replace(FOUND, last_seen_ms=later_ms), VERIFIED, last_day=3, releases=[OLD, FIXED]
    )

    assert (row.status, row.regressed_version, row.reason) == ("open", "", "rolled back to 1.0.0")
    assert change.event == "opened"


def test_without_releases_any_hit_after_the_proof_is_a_regression():
    """A service that does not say its version has no older side."""
    known = replace(VERIFIED, proof=replace(PROOF, releases=()))
    found = replace(FOUND, last_seen_ms=NOW_MS, last_version="", hit_versions=("",))

    row, _ = judge(found, known)

    assert (row.status, row.regressed_version) == ("regressed", "")


def test_a_resolved_one_opens_when_its_condition_holds_again():
    """Rules over windows say themselves when it is over."""
    ended, _ = fall_silent(replace(FOUND, status="open"), ended=True)
    row, change = decide(
        FOUND,
        ended,
        policy=replace(POLICY, opens_at_once=True, withdraws=False),
        hits_last_day=1,
        hits_last_hour=1,
        now_ms=NOW_MS,
        holds=True,
    )

    assert (ended.status, row.status, change.event) == ("resolved", "open", "opened")


@given(found=rows, known=st.none() | rows, policy=policies, day=hits, hour=hits)
def test_news_is_a_change(found, known, policy, day, hour):
    """People are told of what is different now, and of nothing else."""
    row, change = judge(
        found, known, policy=policy, last_day=day, last_hour=hour, releases=[OLD, FIXED, NEXT]
    )
    before = known or FOUND

    if change is not None:
        assert (change.violation, change.previous) == (row, before.status)
        assert (row.status, row.quiet) != (before.status, before.quiet)
    else:
        assert row.status in {before.status, "pending"}


@given(found=rows, known=st.none() | rows, policy=policies, day=hits, hour=hits)
def test_deciding_again_changes_nothing(found, known, policy, day, hour):
    """A tick that is repeated after a crash ends in the same violation, and tells nothing new."""
    releases = [OLD, FIXED, NEXT]
    first, _ = judge(found, known, policy=policy, last_day=day, last_hour=hour, releases=releases)

    second, change = judge(
        found, first, policy=policy, last_day=day, last_hour=hour, releases=releases
    )

    assert second == first
    assert change is None


@given(found=rows, known=rows, policy=policies, day=hits, hour=hits)
def test_findings_alone_never_prove_a_fix(found, known, policy, day, hour):
    """However few there are: fixed is what runs have shown."""
    row, _ = judge(found, known, policy=policy, last_day=day, last_hour=hour)

    assert row.status != "verified_fixed" or known.status == "verified_fixed"
