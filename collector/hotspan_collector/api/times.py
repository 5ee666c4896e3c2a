"""Times of the store (whole numbers since 1970) as times of the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["from_milliseconds", "from_nanoseconds"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def from_nanoseconds(value: int) -> datetime:
    """Return the time, to the microsecond."""
    return _EPOCH + timedelta(microseconds=value // 1000)


def from_milliseconds(value: int) -> datetime:
    """Return the time."""
    return _EPOCH + timedelta(milliseconds=value)
