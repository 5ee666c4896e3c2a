"""`hotspan violations`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hotspan_collector.api.models import Violation, ViolationDetail, Violations
from hotspan_collector.cli.client import ApiClient, ApiKey, ApiUrl, Format, open_api
from hotspan_collector.cli.lifecycle import (
    Acknowledge,
    By,
    Ignore,
    Reason,
    Reopen,
    Resolve,
    Unignore,
    Until,
    UntilHits,
    UntilImpact,
    UntilRelease,
    chosen_action,
    history_lines,
    state_text,
)
from hotspan_collector.cli.terminal import (
    count_text,
    duration_text,
    open_console,
    place_text,
    printable,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from hotspan_collector.cli.lifecycle import Action

__all__ = ["violations"]

_STYLES = {"critical": "bold red", "warning": "bold yellow", "info": "bold blue"}
_ACTIVE = "active"


ViolationId = Annotated[
    str, typer.Argument(help="Show this one, with the traces that prove it.", metavar="[ID]")
]
Service = Annotated[str, typer.Option(help="Of this service.")]
Environment = Annotated[str, typer.Option(help="In this environment.")]
Rule = Annotated[str, typer.Option(help="Of this rule: see hotspan rules list.")]
Severity = Annotated[str, typer.Option(help="info, warning or critical.")]
Status = Annotated[
    str,
    typer.Option(
        help="open, acknowledged, ignored, resolving, verified_fixed, regressed or resolved; "
        "all; or active: those that are somebody's work."
    ),
]
Limit = Annotated[int, typer.Option(min=1, help="Show at most so many.")]
Output = Annotated[
    Format, typer.Option("--format", help="What to print; JSON is the API's answer.")
]


def violations(  # noqa: PLR0913 (options)
    violation_id: ViolationId = "",
    *,
    service: Service = "",
    environment: Environment = "",
    rule: Rule = "",
    severity: Severity = "",
    status: Status = _ACTIVE,
    limit: Limit = 20,
    acknowledge: Acknowledge = False,
    ignore: Ignore = False,
    unignore: Unignore = False,
    resolve: Resolve = False,
    reopen: Reopen = False,
    reason: Reason = "",
    by: By = "",
    until: Until = "",
    until_hits: UntilHits = None,
    until_impact: UntilImpact = None,
    until_release: UntilRelease = False,
    output: Output = Format.TABLE,
    api_url: ApiUrl = "http://127.0.0.1:4319",
    api_key: ApiKey = "",
) -> None:
    """List what is wrong: where it is in the code, what it costs, and what to change.

    Those that lose most seconds a day come first. With an ID, show that one, or say something of
    it.

    Examples:
      hotspan violations

      hotspan violations --service shop --severity critical

      hotspan violations v1:4f0c…

      hotspan violations v1:4f0c… --ignore --until 7d --reason "with the new warehouse"

      hotspan violations v1:4f0c… --resolve

      hotspan violations --format json | jq -r '.violations[].code.file'

    Exit codes: 0 answered (also when there are none), 1 it cannot be done in this state, 2 wrong
    option, 3 API not reachable.

    """
    chosen = {
        "acknowledge": acknowledge,
        "ignore": ignore,
        "unignore": unignore,
        "resolve": resolve,
        "reopen": reopen,
    }
    ends = {
        "until": until,
        "more_hits": until_hits,
        "impact_factor": until_impact,
        "next_release": until_release,
    }
    action = chosen_action(chosen, ends, violation_id=violation_id, reason=reason, by=by)
    which = {
        "service": service,
        "environment": environment,
        "rule": rule,
        "severity": severity,
        "status": status,
    }
    with open_api(api_url, api_key) as api:
        if violation_id:
            _show_one(api, violation_id, output, action=action)
        else:
            _show_list(api, which, output, limit=limit)


def _show_list(api: ApiClient, which: Mapping[str, str], output: Format, *, limit: int) -> None:
    parameters: dict[str, str | int] = {**which, "limit": limit}
    if output is Format.JSON:
        typer.echo(api.get("/violations", parameters))
        return
    found = api.read(Violations, "/violations", parameters)
    is_filtered = any(value for value in which.values() if value != _ACTIVE)
    _print(open_console(), found, filtered=is_filtered)


def _show_one(api: ApiClient, violation_id: str, output: Format, *, action: Action | None) -> None:
    path = f"/violations/{quote(violation_id, safe='')}"
    answer = api.post(f"{path}/{action.name}", action.body) if action else api.get(path)
    if output is Format.JSON:
        typer.echo(answer)
        return
    found = ViolationDetail.model_validate_json(answer, extra="ignore")
    console = open_console()
    console.print(_block(found))
    for line in history_lines(found):
        console.print(line, soft_wrap=True)
    console.print("Traces that prove it, the newest first:")
    for each in found.occurrences:
        console.print(
            f"  hotspan trace {each.trace_id}   {each.at:%Y-%m-%d %H:%M:%S}   "
            f"{duration_text(each.duration_ms)}",
            soft_wrap=True,
            highlight=False,
        )


def _print(console: Console, found: Violations, *, filtered: bool) -> None:
    if not found.violations:
        console.print(
            "No violation matches these options."
            if filtered
            else "No violations. If you expected some: hotspan doctor says whether spans come in."
        )
        return
    for each in found.violations:
        console.print(_block(each))
    lost_ms = sum(each.lost_seconds_per_day for each in found.violations) * 1000
    shown = len(found.violations)
    more = f" (the worst {shown} of them shown: --limit)" if found.total > shown else ""
    console.print(
        f"{count_text(found.total, 'violation')}{more}, {duration_text(lost_ms)} lost in the last "
        "day."
    )


def _block(violation: Violation) -> Group:
    head = Table.grid(padding=(0, 2), expand=True)
    head.add_column(width=8, no_wrap=True)
    head.add_column(ratio=1, overflow="fold")
    head.add_column(justify="right", no_wrap=True)
    head.add_row(
        Text(violation.severity.upper(), style=_STYLES[violation.severity]),
        Text(
            printable(f"{violation.title} in {violation.entry or violation.service}"), style="bold"
        ),
        Text(f"{duration_text(violation.lost_seconds_per_day * 1000)} lost a day", style="bold"),
    )
    indent = (0, 0, 0, 10)
    return Group(head, *(Padding(text, indent, expand=False) for text in _details(violation)), "")


def _details(violation: Violation) -> list[Text]:
    environment = f" ({violation.environment})" if violation.environment else ""
    share = f"{violation.hits:,} of {count_text(violation.entries, 'entry', 'entries')} hit"
    lines = [
        Text(printable(violation.summary)),
        Text(
            printable(f"{violation.service}{environment} · {share} · confidence ")
            + violation.confidence,
            style="dim",
        ),
    ]
    state = state_text(violation)
    if state:
        lines.append(Text(printable(state), style="magenta"))
    if violation.code is not None:
        lines.append(Text(printable(place_text(violation.code)), style="cyan"))
    if violation.suggestion:
        lines.append(Text(f"→ {printable(violation.suggestion)}", style="green"))
    lines.append(Text(violation.id, style="dim"))
    return lines
