"""What must be told to the outside, in a table, until it has been."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hotspan_collector.alerts.webhook import message
from hotspan_collector.api.times import from_milliseconds
from hotspan_collector.api.violation_words import describe
from hotspan_collector.rules.violation import Change, Event, ViolationRow
from hotspan_collector.rules.violation_table import row_from
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotspan_collector.database import Database
    from hotspan_collector.rules.catalogue import Catalogue

__all__ = [
    "Counts",
    "Due",
    "announce",
    "announce_missed",
    "count_alerts",
    "due",
    "record_delivered",
    "record_failed",
    "record_retry",
]

_SQL = load_blocks(__package__ or "", "outbox.sql")
_CHANNEL = "webhook"
# How far back a restart looks for changes that a crash kept from being announced.
_MISSED_WITHIN_MS = 3_600_000
_LONGEST_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An alert whose time has come."""

    id: str
    fingerprint: str
    event: str
    channel: str
    payload: str
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many alerts wait, and how many were given up."""

    pending: int
    failed: int


def announce(
    database: Database, *, catalogue: Catalogue, changes: Sequence[Change], ui_url: str
) -> None:
    """Put changes of violations into the outbox. One that is in it already is left alone.

    Args:
        database: holds the outbox, and the findings that tell what happened.
        catalogue: has the words.
        changes: what the evaluator reported.
        ui_url: where the UI is, for links.

    """
    now = datetime.now(UTC)
    told = [change for change in changes if change.alerts]
    violations = describe(database, catalogue, [change.violation for change in told])
    for change, violation in zip(told, violations, strict=True):
        opened_at_ms = change.violation.opened_at_ms
        opened_at = now if opened_at_ms is None else from_milliseconds(opened_at_ms)
        payload = message(violation, event=change.event, opened_at=opened_at, at=now, ui_url=ui_url)
        database.execute(
            _SQL["enqueue"],
            {
                "id": _identify(change),
                "fingerprint": change.violation.fingerprint,
                "event": change.event,
                "channel": _CHANNEL,
                "payload": json.dumps(payload, ensure_ascii=False),
            },
        )


def announce_missed(database: Database, *, catalogue: Catalogue, ui_url: str) -> None:
    """Announce recent changes once more, at a start: a crash may have come between the two."""
    rows = database.rows(_SQL["recent_changes"], {"within_ms": _MISSED_WITHIN_MS})
    changes = [Change(_event_of(each), each) for each in map(row_from, rows)]
    announce(database, catalogue=catalogue, changes=changes, ui_url=ui_url)


def due(database: Database, *, limit: int) -> list[Due]:
    """Return what is to be sent now, oldest first; of each violation its oldest event only."""
    return [Due(**row) for row in database.rows(_SQL["due"], {"limit": limit})]


def record_delivered(database: Database, alert_id: str) -> None:
    """Note that the other side has taken an alert."""
    _record(database, alert_id, state="delivered", error="", delay_ms=0)


def record_retry(database: Database, alert_id: str, *, error: str, delay_s: float) -> None:
    """Note that a delivery failed and is to be tried again in `delay_s`."""
    _record(database, alert_id, state="pending", error=error, delay_ms=round(delay_s * 1000))


def record_failed(database: Database, alert_id: str, *, error: str) -> None:
    """Note that an alert is given up."""
    _record(database, alert_id, state="failed", error=error, delay_ms=0)


def count_alerts(database: Database) -> Counts:
    """Count what waits and what was given up."""
    row = database.rows(_SQL["counts"])[0]
    return Counts(pending=row["pending"], failed=row["failed"])


def _record(database: Database, alert_id: str, *, state: str, error: str, delay_ms: int) -> None:
    parameters = {
        "id": alert_id,
        "state": state,
        "error": error[:_LONGEST_ERROR],
        "delay_ms": delay_ms,
    }
    database.execute(_SQL["record"], parameters)


def _event_of(known: ViolationRow) -> Event:
    """Return what was last to be told of a violation."""
    match known.status:
        case "verified_fixed":
            return "fixed"
        case "regressed" if not known.quiet:
            return "regressed"
        case "open" | "resolving" if not known.quiet:
            return "opened"
        case _:
            return "resolved"


def _identify(change: Change) -> str:
    known = change.violation
    text = f"{known.fingerprint}\n{change.event}\n{known.opened_at_ms}\n{_CHANNEL}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]
