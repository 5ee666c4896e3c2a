"""`hotspan rules test`."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 (Typer reads the annotations)
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from hotspan_collector.cli.client import ApiKey, ApiUrl, Exit, Format, open_api
from hotspan_collector.cli.terminal import count_text, duration_text, open_console, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["try_rule"]

_SHOWN = 20


def try_rule(
    file: Annotated[
        Path, typer.Argument(help="A rule file in the collector's folder, best in drafts/.")
    ],
    *,
    since: Annotated[str, typer.Option(help="How far back: 24h, 7d, or a time.")] = "24h",
    output: Annotated[Format, typer.Option("--format", help="What to print.")] = Format.TABLE,
    api_url: ApiUrl = "http://127.0.0.1:4319",
    api_key: ApiKey = "",
) -> None:
    """Run one rule over stored history, and show what it would have found. Nothing is published.

    Rule files are code: the collector runs only those in its own folder, HOTSPAN_RULES_DIR. What
    lies in drafts/ below it runs by this command alone. A rule over windows looks back over its own
    window.

    Examples:
      hotspan rules test /etc/hotspan/rules/drafts/many_calls.sql --since 24h

    Exit codes: 0 it ran, 1 it failed, 2 the file is no rule or lies elsewhere, 3 API not reachable.

    """
    with open_api(api_url, api_key) as api:
        lines = api.stream("/rules/test", {"file": str(file.absolute()), "since": since})
        result = _follow(lines)
    if output is Format.JSON:
        typer.echo(json.dumps(result, indent=2, ensure_ascii=False))
    else:
        _print(result)
    if result.get("error"):
        typer.echo(f"hotspan: {file}: {result['error']}", err=True)
        raise typer.Exit(Exit.PROBLEM)


def _follow(lines: Iterable[str]) -> dict[str, Any]:
    """Show how far it has come; return the last line."""
    last: dict[str, Any] = {}
    columns = (TextColumn("Entries"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("entries", total=None)
        for line in lines:
            last = json.loads(line)
            progress.update(bar, total=last["entries"] or None, completed=last["entries_done"])
    return last


def _print(result: Mapping[str, Any]) -> None:
    console = open_console()
    for each in result["findings"][:_SHOWN]:
        where = f"{each['entry'] or each['service']} ({each['service']})"
        console.print(
            Text.assemble(
                (f"{each['severity'].upper():8}  ", "bold"),
                printable(f"{where}  {each['summary']}"),
                (f"\n          hotspan trace {each['trace_id']}", "dim"),
            )
        )
    lost_ms = sum(each["wasted_ms"] for each in result["findings"])
    shown = min(_SHOWN, len(result["findings"]))
    more = f" (the worst {shown} shown)" if result["found"] > shown else ""
    console.print(
        f"{count_text(result['found'], 'finding')}{more} in "
        f"{count_text(result['entries_done'], 'entry', 'entries')}, {duration_text(lost_ms)} lost."
    )
