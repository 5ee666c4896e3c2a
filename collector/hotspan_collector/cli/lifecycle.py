"""What `hotspan violations ID` says of a violation's state, and lets people say of it."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from hotspan_collector.cli.client import Exit
from hotspan_collector.cli.terminal import duration_text, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hotspan_collector.api.models import Fix, Ignored, Violation, ViolationDetail

__all__ = [
    "Acknowledge",
    "Action",
    "By",
    "Ignore",
    "Reason",
    "Reopen",
    "Resolve",
    "Unignore",
    "Until",
    "UntilHits",
    "UntilImpact",
    "UntilRelease",
    "chosen_action",
    "history_lines",
    "state_text",
]

_LIFECYCLE = "What you say of it"
_UNTIL = "How long it is ignored: until whichever comes first, or for ever"


def _flag(name: str, text: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(name, help=text, rich_help_panel=_LIFECYCLE)
    return option


Acknowledge = Annotated[bool, _flag("--acknowledge", "You have taken it: its alerts rest.")]
Ignore = Annotated[bool, _flag("--ignore", "Take it out of the list.")]
Unignore = Annotated[bool, _flag("--unignore", "Put it back into the list.")]
Resolve = Annotated[
    bool, _flag("--resolve", "It is fixed: have that verified by the entries from now on.")
]
Reopen = Annotated[bool, _flag("--reopen", "It is open after all.")]
Reason = Annotated[str, typer.Option(help="Why.", rich_help_panel=_LIFECYCLE)]
By = Annotated[
    str,
    typer.Option(help="Who says so.", show_default="your login", rich_help_panel=_LIFECYCLE),
]
Until = Annotated[str, typer.Option(help="A time, or how long: 12h, 7d.", rich_help_panel=_UNTIL)]
UntilHits = Annotated[
    int | None, typer.Option(min=1, help="So many more hits.", rich_help_panel=_UNTIL)
]
UntilImpact = Annotated[
    float | None,
    typer.Option(help="It costs so many times what it does now.", rich_help_panel=_UNTIL),
]
UntilRelease = Annotated[
    bool, typer.Option("--until-release", help="The next release.", rich_help_panel=_UNTIL)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What is said of a violation, as the API takes it."""

    name: str
    body: Mapping[str, object]


def chosen_action(
    chosen: Mapping[str, bool],
    conditions: Mapping[str, object],
    *,
    violation_id: str,
    reason: str,
    by: str,
) -> Action | None:
    """Return the action that the options name, or None.

    Raises:
        typer.Exit: the options do not fit together; why has been said on standard error.

    """
    names = [name for name, wanted in chosen.items() if wanted]
    given = {name: value for name, value in conditions.items() if value}
    if len(names) > 1:
        raise _wrong(f"--{names[0]} and --{names[1]} exclude each other.")
    if given and names != ["ignore"]:
        raise _wrong("--until… says how long something is ignored: use it with --ignore.")
    if not names and (reason or by):
        raise _wrong("--reason and --by belong to --acknowledge, --ignore, --resolve or --reopen.")
    if names and not violation_id:
        raise _wrong(f"--{names[0]} needs the ID of a violation: hotspan violations lists them.")
    if not names:
        return None
    return Action(name=names[0], body={"by": by or _login(), "reason": reason, **given})


def state_text(violation: Violation) -> str:
    """Return a violation's state in one line; nothing for one that is simply open."""
    whose = f" by {violation.status_by}" if violation.status_by else ""
    why = f": {violation.status_reason}" if violation.status_reason else ""
    match violation.status:
        case "open":
            state = f"open{why}" if why else ""
        case "ignored":
            state = f"ignored{whose}{_until_text(violation.ignored)}{why}"
        case "resolving":
            state = f"resolving{whose}, {_progress(violation.fix)}{why}"
        case "verified_fixed":
            state = f"verified fixed{why}"
        case "regressed":
            state = f"regressed{why}"
        case _:
            state = f"{violation.status}{whose}{why}"
    quiet = (
        "quiet, not verified" if violation.quiet and violation.status != "verified_fixed" else ""
    )
    proof = _before_and_after(violation.fix) if violation.fix else ""
    return " · ".join(part for part in (state, quiet, proof) if part)


def history_lines(violation: ViolationDetail) -> Iterator[Text]:
    """Return what became of a violation, newest first."""
    if not violation.history:
        return
    yield Text("What became of it, the newest first:")
    for each in violation.history:
        whose = f" by {each.by}" if each.by else ""
        why = f": {each.reason}" if each.reason else ""
        yield Text(printable(f"  {each.at:%Y-%m-%d %H:%M:%S}   {each.event}{whose}{why}"))
    yield Text()


def _until_text(ignored: Ignored | None) -> str:
    if ignored is None:
        return ""
    parts = [
        f"{ignored.until:%Y-%m-%d %H:%M}" if ignored.until else "",
        f"{ignored.more_hits:,} more hits" if ignored.more_hits else "",
        f"it costs {ignored.impact_factor:g} times as much" if ignored.impact_factor else "",
        "the next release" if ignored.next_release else "",
    ]
    until = " or ".join(part for part in parts if part)
    return f" until {until}" if until else ""


def _progress(fix: Fix | None) -> str:
    if fix is None:
        return "no entry has run since"
    return f"{fix.entries:,} of {fix.entries_needed:,} entries without it"


def _before_and_after(fix: Fix) -> str:
    return (
        f"queries an entry {fix.queries_before:.1f} → {fix.queries_after:.1f}, time an entry "
        f"{duration_text(fix.duration_ms_before)} → {duration_text(fix.duration_ms_after)}, lost "
        f"{duration_text(fix.lost_seconds_per_day_before * 1000)} a day before"
    )


def _login() -> str:
    try:
        return getpass.getuser()
    except OSError:
        return ""


def _wrong(message: str) -> typer.Exit:
    typer.echo(f"hotspan: {message}", err=True)
    return typer.Exit(Exit.USAGE)
