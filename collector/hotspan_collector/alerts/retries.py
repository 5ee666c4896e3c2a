"""When to try again, and whether: decided from plain data."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

__all__ = ["is_permanent", "pause_s", "retry_after_s"]

_FIRST_PAUSE_S = 2.0
_LONGEST_PAUSE_S = 3_600.0
_LONGEST_RETRY_AFTER_S = 86_400.0
_TEMPORARY = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


def pause_s(attempts: int, *, jitter: float) -> float:
    """Return how long to wait after so many failed attempts.

    Args:
        attempts: failed ones, at least 1.
        jitter: from 0 to 1, so that not everything is sent again at once.

    """
    longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(attempts - 1, 16))
    return longest * (0.5 + 0.5 * jitter)


def is_permanent(status_code: int) -> bool:
    """Tell whether sending the same again cannot help: the receiver refuses it, or has moved."""
    return HTTPStatus.MULTIPLE_CHOICES <= status_code < HTTPStatus.INTERNAL_SERVER_ERROR and (
        status_code not in _TEMPORARY
    )


def retry_after_s(value: str | None, *, now: datetime | None = None) -> float:
    """Return what a Retry-After header asks for, in seconds; 0 when it asks for nothing."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(_LONGEST_RETRY_AFTER_S, float(text[:9]))
    try:
        asked = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    aware = asked if asked.tzinfo else asked.replace(tzinfo=UTC)
    wait_s = (aware - (now or datetime.now(UTC))).total_seconds()
    return min(_LONGEST_RETRY_AFTER_S, max(0.0, wait_s))
