"""Rules that look at single operations, at time, and at how tasks end."""

import pytest
from rules.single_rules import CASES, found_in_single

from support.rule_cases import assert_found


@pytest.mark.parametrize(
    ("rule_id", "case"),
    [
        pytest.param(rule_id, case, id=f"{rule_id}-{case.title}")
        for rule_id, cases in CASES.items()
        for case in cases
    ],
)
def test_finds_what_a_case_has(rule_id, case):
    """A rule finds in a case what it must, in its words, and nothing where a case is clean."""
    assert_found(case, found_in_single()[rule_id][case.title])


@pytest.mark.parametrize("rule_id", ["debug_enabled", "duplicate_middleware"])
def test_is_about_the_service(rule_id):
    """What is wrong with a whole service says nothing about a route."""
    entries = {found.entry for its in found_in_single()[rule_id].values() for found in its}

    assert entries == {""}
