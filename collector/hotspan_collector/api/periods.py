"""Times that people write: RFC 3339, or how long ago (`90s`, `30m`, `1h`, `7d`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Query

from hotspan_collector.api.problems import BadParameterError

__all__ = ["Period", "Since", "Until", "parse_period", "parse_time"]

DEFAULT_PERIOD = "24h"

_AGO = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Since = Annotated[
    str,
    Query(
        description="Begin of the period, included: RFC 3339, or how long ago (`90s`, `30m`, `1h`, "
        "`7d`).",
        examples=["1h", "2026-11-22T10:00:00Z"],
    ),
]
Until = Annotated[
    str,
    Query(
        description="End of the period, left out: as `since`. Empty: now.",
        examples=["2026-11-22T11:00:00Z"],
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From `since_ns`, included, to `until_ns`, left out; nanoseconds since 1970."""

    since_ns: int
    until_ns: int

    def parameters(self) -> dict[str, object]:
        """Return it as parameters of a query."""
        return {"since_ns": self.since_ns, "until_ns": self.until_ns}


def parse_period(since: str, until: str, *, now: datetime | None = None) -> Period:
    """Read a period; empty `since` is the last day, empty `until` is a minute ahead of now.

    Raises:
        BadParameterError: one is no time, or nothing lies between them.

    """
    moment = now or datetime.now(UTC)
    begin = parse_time(since or DEFAULT_PERIOD, name="since", now=moment)
    # Clocks of other machines may be a little ahead of ours.
    end = parse_time(until, name="until", now=moment) if until else moment + timedelta(minutes=1)
    if begin >= end:
        raise BadParameterError(
            f"since ({begin.isoformat()}) must lie before until ({end.isoformat()})."
        )
    return Period(since_ns=_nanoseconds(begin), until_ns=_nanoseconds(end))


def parse_time(text: str, *, name: str, now: datetime) -> datetime:
    """Read one time.

    Raises:
        BadParameterError: `text` is none; the message names `name`.

    """
    ago = _AGO.fullmatch(text.strip())
    try:
        if ago is not None:
            return max(_EPOCH, now - timedelta(**{_UNITS[ago[2]]: int(ago[1])}))
        parsed = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError) as error:
        raise BadParameterError(
            f"query parameter {name} = {text!r}: expected a time such as 2026-11-22T10:00:00Z, or "
            "how long ago: 90s, 30m, 1h, 7d."
        ) from error
    moment = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return min(max(_EPOCH, moment), _LATEST)


def _nanoseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND * 1000
