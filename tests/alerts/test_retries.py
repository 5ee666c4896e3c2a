"""When to try again, and whether."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspan_collector.alerts.retries import is_permanent, pause_s, retry_after_s


def test_pauses_double_up_to_an_hour():
    """A receiver that is down is asked ever more rarely."""
    pauses = [pause_s(attempts, jitter=1) for attempts in (1, 2, 3, 4, 12, 13, 1000)]

    assert pauses == [2, 4, 8, 16, 3600, 3600, 3600]


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_jitter_takes_at_most_half(attempts, jitter):
    """Alerts that failed together are spread, and none comes at once."""
    longest = pause_s(attempts, jitter=1)

    assert longest / 2 <= pause_s(attempts, jitter=jitter) <= longest


@pytest.mark.parametrize(
    ("status", "permanent"),
    [
        (301, True),
        (400, True),
        (404, True),
        (408, False),
        (410, True),
        (429, False),
        (500, False),
        (503, False),
    ],
)
def test_what_trying_again_cannot_help(status, permanent):
    """A receiver that refuses is believed; one that is busy or broken is asked again."""
    assert is_permanent(status) is permanent


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, 0),
        ("", 0),
        ("soon", 0),
        ("-5", 0),
        ("²", 0),
        ("120", 120),
        ("999999999999", 86_400),
        ("Sun, 22 Nov 2026 10:01:30 GMT", 90),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 0),
    ],
)
def test_retry_after_is_understood_in_both_forms(value, expected):
    """Seconds or a date; nonsense asks for nothing, and nothing asks for more than a day."""
    found = retry_after_s(value, now=datetime(2026, 11, 22, 10, tzinfo=UTC))

    assert found == expected
