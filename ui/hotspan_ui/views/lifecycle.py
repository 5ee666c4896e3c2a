"""A violation's state in words, what may be said of it, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from hotspan_ui.views import text
from hotspan_ui.views.fact import Fact

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from pydantic import JsonValue

    from hotspan_ui.models import Fix, Ignored, Violation, ViolationChange

STATUSES: Final = (
    "open",
    "regressed",
    "resolving",
    "acknowledged",
    "ignored",
    "verified_fixed",
    "resolved",
)
BADGES: Final[Mapping[str, Literal["red", "orange", "blue", "green", "gray"]]] = {
    "regressed": "red",
    "resolving": "blue",
    "verified_fixed": "green",
    "resolved": "green",
}
_EVENTS: Final = {
    "fixed": "Verified fixed",
    "claimed": "Said to be fixed",
    "unignored": "Ignored no more",
    "resolving": "Gone from a newer release so far",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that may be said of a violation."""

    action: str
    label: str
    icon: str
    explanation: str


CHOICES: Final = (
    Choice(
        "acknowledge",
        "Acknowledge",
        ":material/person_check:",
        "You have taken it: its alerts rest until it is fixed or comes back.",
    ),
    Choice(
        "resolve",
        "Fixed",
        ":material/task_alt:",
        "The fix runs: the entries that begin from now on verify it. One hit opens it again.",
    ),
    Choice(
        "ignore", "Ignore", ":material/notifications_off:", "It leaves the list, and alerts rest."
    ),
    Choice("unignore", "Ignore no more", ":material/notifications:", "It is open again."),
    Choice("reopen", "Reopen", ":material/undo:", "It is open after all."),
)
UNTIL: Final[Mapping[str, Mapping[str, JsonValue]]] = {
    "For a week": {"until": "7d"},
    "For a day": {"until": "1d"},
    "For 30 days": {"until": "30d"},
    "Until the next release": {"next_release": True},
    "Until 100 more hits": {"more_hits": 100},
    "Until it costs twice as much": {"impact_factor": 2},
    "For ever": {},
}


def choices(actions: tuple[str, ...]) -> tuple[Choice, ...]:
    """Return what may be said now."""
    known = tuple(each for each in CHOICES if each.action in actions)
    # What is ignored is reopened by ignoring it no more.
    without = {"reopen"} if "unignore" in actions else set()
    return tuple(each for each in known if each.action not in without)


def status_label(status: str) -> str:
    """`verified_fixed` as `verified fixed`."""
    return status.replace("_", " ")


def status_name(status: str) -> str:
    """`verified_fixed` as `Verified fixed`."""
    return status_label(status).capitalize()


def short_state(violation: Violation) -> str:
    """Return the state as it fits into a list; nothing for one that is simply open."""
    if violation.status == "resolving" and violation.fix:
        return f"resolving {violation.fix.entries}/{violation.fix.entries_needed}"
    if violation.status == "open":
        return "quiet" if violation.quiet else ""
    return status_label(violation.status)


def sentence(violation: Violation, *, zone: ZoneInfo | None) -> str:
    """Return what state it is in, since when, by whom and why; nothing when it is simply open."""
    whose = f" by {violation.status_by}" if violation.status_by else ""
    why = f": {violation.status_reason}" if violation.status_reason else ""
    match violation.status:
        case "open":
            said = f"Open{why}." if why else ""
        case "ignored":
            said = f"Ignored{whose}{_until(violation.ignored, zone=zone)}{why}."
        case "resolving" if violation.fix:
            said = f"{_where(violation.fix)} {_progress(violation.fix)}."
        case "resolving":
            said = f"Said to be fixed{whose}{why}. No entry has run since."
        case "verified_fixed" if violation.fix:
            said = f"Verified fixed: {_progress(violation.fix)}."
        case status:
            said = f"{status_label(status).capitalize()}{whose}{why}."
    if violation.quiet and violation.status in {"open", "regressed", "acknowledged"}:
        said = f"{said} Quiet for a while, which proves nothing.".strip()
    return said


def before_and_after(violation: Violation) -> tuple[Fact, ...]:
    """Return what a fix has changed, or is on its way to."""
    fix = violation.fix
    if fix is None:
        return ()
    return (
        Fact(
            "Queries an entry",
            f"{fix.queries_before:,.0f} → {fix.queries_after:,.0f}",
            "before, and without it",
        ),
        Fact(
            "Time an entry",
            f"{text.duration(fix.duration_ms_before)} → {text.duration(fix.duration_ms_after)}",
            "means of the entries hit, and of those without it",
        ),
        Fact(
            "Lost a day, before",
            text.duration(fix.lost_seconds_per_day_before * 1000),
            "in the day before the last hit",
        ),
        Fact(
            "Entries without it",
            f"{text.count(fix.entries)} of {text.count(fix.entries_needed)}",
            f"of {', '.join(fix.releases)}" if fix.releases else "since it was said to be fixed",
        ),
    )


def history(
    changes: tuple[ViolationChange, ...], *, zone: ZoneInfo | None
) -> tuple[tuple[str, str], ...]:
    """Return what became of it: when, and what, by whom and why."""
    return tuple((text.moment(each.at, zone=zone), _change(each)) for each in changes)


def _change(change: ViolationChange) -> str:
    event = _EVENTS.get(change.event, status_label(change.event).capitalize())
    whose = f" by {change.by}" if change.by else ""
    return f"{event}{whose}{f': {change.reason}' if change.reason else ''}"


def _until(ignored: Ignored | None, *, zone: ZoneInfo | None) -> str:
    if ignored is None:
        return ""
    parts = [
        text.moment(ignored.until, zone=zone) if ignored.until else "",
        f"{text.count(ignored.more_hits)} more hits" if ignored.more_hits else "",
        f"it costs {ignored.impact_factor:g} times as much" if ignored.impact_factor else "",
        "the next release" if ignored.next_release else "",
    ]
    until = " or ".join(part for part in parts if part)
    return f" until {until}" if until else ""


def _where(fix: Fix) -> str:
    return f"Gone from {', '.join(fix.releases)} so far:" if fix.releases else "So far"


def _progress(fix: Fix) -> str:
    where = f" of {', '.join(fix.releases)}" if fix.releases else ""
    return (
        f"{text.count(fix.entries)} entries{where} ran without it, and "
        f"{text.count(fix.entries_needed)} prove that it is no chance"
    )
