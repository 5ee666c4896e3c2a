from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspan_collector.rules.lifecycle import Change, Policy, ViolationRow, decide, fall_silent

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
)
POLICY = Policy(open_after_hits=3, opens_at_once=False, critical_hits_per_hour=0)

rows = st.builds(
    replace,
    st.just(FOUND),
    status=st.sampled_from(["pending", "open", "quiet"]),
    severity=st.sampled_from(["info", "warning", "critical"]),
    hits=st.integers(0, 50),
    last_seen_ms=st.integers(NOW_MS - 10_000, NOW_MS),
    opened_at_ms=st.none() | st.integers(0, NOW_MS),
)
policies = st.builds(
    Policy,
    open_after_hits=st.integers(1, 5),
    opens_at_once=st.booleans(),
    critical_hits_per_hour=st.integers(0, 5),
)
hits = st.integers(0, 20)


def judge(found=FOUND, known=None, *, policy=POLICY, last_day=1, last_hour=1):
    return decide(
        found,
        known,
        policy=policy,
        hits_last_day=last_day,
        hits_last_hour=last_hour,
        now_ms=NOW_MS,
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


def test_what_is_open_is_told_once():
    """Further hits of an open violation are no news, and keep the time it was opened at."""
    row, change = judge(known=replace(FOUND, status="open", opened_at_ms=7), last_day=9)

    assert (row.status, row.opened_at_ms) == ("open", 7)
    assert change is None


def test_what_was_quiet_opens_again_when_it_is_hit_again():
    """A new hit re-opens, and is told."""
    known = replace(FOUND, status="quiet", opened_at_ms=7, last_seen_ms=FOUND.last_seen_ms - 1)

    row, change = judge(known=known, last_day=3)

    assert (row.status, row.opened_at_ms) == ("open", NOW_MS)
    assert change == Change("opened", row)


def test_what_was_quiet_stays_so_without_a_new_hit():
    """Evaluating the same entry again is no new hit."""
    row, change = judge(known=replace(FOUND, status="quiet", opened_at_ms=7), last_day=3)

    assert (row.status, row.opened_at_ms) == ("quiet", 7)
    assert change is None


def test_silence_is_told_once():
    """An open violation falls silent with news of it, and remembers when it was opened."""
    row, change = fall_silent(replace(FOUND, status="open", opened_at_ms=7))

    assert (row.status, row.opened_at_ms) == ("quiet", 7)
    assert change == Change("resolved", row)


@given(found=rows, known=st.none() | rows, policy=policies, day=hits, hour=hits)
def test_only_opening_is_news(found, known, policy, day, hour):
    """People are told when a violation is open that was not, and never otherwise."""
    row, change = judge(found, known, policy=policy, last_day=day, last_hour=hour)

    opened = row.status == "open" and (known is None or known.status != "open")

    assert (change == Change("opened", row)) == opened
    assert (change is None) == (not opened)


@given(found=rows, known=st.none() | rows, policy=policies, day=hits, hour=hits)
def test_deciding_again_changes_nothing(found, known, policy, day, hour):
    """A tick that is repeated after a crash ends in the same violation, and tells nothing new."""
    first, _ = judge(found, known, policy=policy, last_day=day, last_hour=hour)

    second, change = judge(found, first, policy=policy, last_day=day, last_hour=hour)

    assert second == first
    assert change is None


@given(found=rows, known=st.none() | rows, policy=policies, day=hits, hour=hits)
def test_an_open_violation_never_closes_by_counting(found, known, policy, day, hour):
    """Fewer hits are silence, and silence is decided elsewhere."""
    row, _ = judge(found, known, policy=policy, last_day=day, last_hour=hour)

    assert row.status == "open" or known is None or known.status != "open"
