"""The list of violations, and what the page of one of them says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotspan_ui import links
from hotspan_ui.views import text
from hotspan_ui.views.fact import Fact
from hotspan_ui.views.lifecycle import short_state
from hotspan_ui.views.table import Cell, Column, LinkRow, Tone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from pydantic import JsonValue

    from hotspan_ui.models import Occurrence, RuleSetting, Severity, Violation, ViolationDetail

COLUMNS: Final = (
    Column("Severity", "5.5rem"),
    Column("Violation", "minmax(14rem, 2.6fr)"),
    Column("Where in the code", "minmax(10rem, 1.4fr)"),
    Column("Service", "7rem"),
    Column("Lost a day", "7rem", "end"),
    Column("An entry", "6.5rem", "end"),
    Column("Last seen", "6.5rem", "end"),
)
OCCURRENCE_COLUMNS: Final = (
    Column("When", "minmax(10rem, 1.4fr)"),
    Column("Took", "6rem", "end"),
    Column("Lost", "6rem", "end"),
    Column("Times", "5rem", "end"),
    Column("Release", "minmax(5rem, 1fr)"),
    Column("Trace", "minmax(8rem, 1.6fr)"),
)
TONES: Final[dict[Severity, Tone]] = {
    "critical": "critical",
    "warning": "warning",
    "info": "info",
}
_RANKS: Final[dict[Severity, int]] = {"critical": 0, "warning": 1, "info": 2}


def ranked(violations: Sequence[Violation]) -> tuple[Violation, ...]:
    """Most seconds lost a day first; severity, then age decide between equals."""
    return tuple(
        sorted(
            violations,
            key=lambda each: (
                -each.lost_seconds_per_day,
                _RANKS[each.severity],
                each.first_seen,
                each.id,
            ),
        )
    )


def table_row(violation: Violation, *, now: datetime) -> LinkRow:
    """Return a row of the list."""
    where = violation.code
    function = f"in {where.function}" if where and where.function else ""
    return LinkRow(
        key=violation.id,
        url=links.violation(violation.id).url,
        cells=(
            Cell(violation.severity, style="badge", tone=TONES[violation.severity]),
            Cell(
                headline(violation), sub=violation.summary, style="strong", title=violation.summary
            ),
            Cell(
                text.short_place(where) or "not known",
                sub=function,
                style="code" if where else "text",
                tone="" if where else "muted",
                title=text.place(where),
            ),
            Cell(violation.service, sub=violation.environment),
            Cell(_lost(violation.lost_seconds_per_day * 1000), sub=_share(violation)),
            Cell(
                _lost(violation.wasted_ms),
                sub=f"{text.TIMES} {text.count(violation.count)}",
            ),
            Cell(text.ago(violation.last_seen, now=now), sub=short_state(violation), tone="muted"),
        ),
    )


def headline(violation: Violation) -> str:
    """Return what is wrong, and in which route, task or command."""
    return f"{violation.title} in {violation.entry}"


def owner(violation: Violation) -> str:
    """Which entry of which service, and where it runs."""
    service = f"{violation.service} ({violation.environment})"
    return f"{violation.entry} · {service if violation.environment else violation.service}"


def facts(violation: ViolationDetail) -> tuple[Fact, ...]:
    """Return what it costs, in the order of importance."""
    repetitions = "in the worst entry"
    return (
        Fact(
            "Lost a day",
            _lost(violation.lost_seconds_per_day * 1000),
            f"time an entry loses {text.TIMES} entries a day",
        ),
        Fact("Lost in an entry", _lost(violation.wasted_ms), "mean of the entries hit"),
        Fact("Repetitions", text.count(violation.count), repetitions),
        Fact(
            "Entries hit",
            f"{text.count(violation.hits)} of {text.count(violation.entries)}",
            "since the first hit",
        ),
    )


def occurrence_row(
    occurrence: Occurrence, *, violation_id: str, zone: ZoneInfo | None, now: datetime
) -> LinkRow:
    """Return a row of the occurrences."""
    link = links.trace(
        occurrence.trace_id, span_id=occurrence.entry_span_id, violation_id=violation_id
    )
    return LinkRow(
        key=f"{occurrence.trace_id}/{occurrence.entry_span_id}",
        url=link.url,
        cells=(
            Cell(text.moment(occurrence.at, zone=zone), sub=text.ago(occurrence.at, now=now)),
            Cell(text.duration(occurrence.duration_ms)),
            Cell(text.duration(occurrence.wasted_ms)),
            Cell(text.count(occurrence.count)),
            Cell(occurrence.version or text.NOTHING, tone="" if occurrence.version else "muted"),
            Cell(f"{occurrence.trace_id[:16]}…", style="code", title=occurrence.trace_id),
        ),
    )


def measured(details: dict[str, JsonValue]) -> tuple[tuple[str, str], ...]:
    """Return what the rule measured, by readable name."""
    return tuple((readable(name), value_text(value)) for name, value in details.items())


def setting_text(setting: RuleSetting) -> str:
    """Return the value in force, and the default where they differ."""
    value = f"{value_text(setting.value)} {setting.unit}".strip()
    if setting.value == setting.default:
        return value
    return f"{value} (default {value_text(setting.default)})"


def readable(name: str) -> str:
    """`distinct_parameters` as `Distinct parameters`."""
    words = name.replace("_", " ").replace(".", " ").strip()
    return words[:1].upper() + words[1:]


def value_text(value: JsonValue) -> str:
    """Return a JSON value as people write it."""
    if value is None:
        return text.NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.6g}"
    if isinstance(value, list):
        return ", ".join(value_text(each) for each in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {value_text(each)}" for name, each in value.items())
    return str(value)


def _lost(milliseconds: float) -> str:
    return text.duration(milliseconds) if milliseconds else text.NOTHING


def _share(violation: Violation) -> str:
    return f"{text.compact(violation.hits)} of {text.compact(violation.entries)} hit"


def releases(violation: Violation) -> str:
    """Return the releases it was seen in."""
    first, last = violation.first_release, violation.last_release
    if first and last and first != last:
        return f"releases {first} to {last}"
    return f"release {last or first}" if last or first else ""
