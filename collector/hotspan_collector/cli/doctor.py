"""`hotspan doctor`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from hotspan_collector.cli.checks import Addresses, Check, run_checks
from hotspan_collector.cli.client import ApiKey, ApiUrl, Exit, Format
from hotspan_collector.cli.terminal import open_console, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

__all__ = ["doctor"]

_MARKS = {
    "ok": Text("✓", style="bold green"),
    "warning": Text("!", style="bold yellow"),
    "problem": Text("✗", style="bold red"),
}


def doctor(
    *,
    otlp_url: Annotated[
        str,
        typer.Option(
            envvar="OTEL_EXPORTER_OTLP_ENDPOINT", help="Where applications send OTLP/HTTP."
        ),
    ] = "http://127.0.0.1:4318",
    ui_url: Annotated[
        str, typer.Option(envvar="HOTSPAN_UI_URL", help="Address of the UI.")
    ] = "http://127.0.0.1:8501",
    output: Annotated[Format, typer.Option("--format", help="What to print.")] = Format.TABLE,
    api_url: ApiUrl = "http://127.0.0.1:4319",
    api_key: ApiKey = "",
) -> None:
    """Check that everything is reachable and works, and say what to do where it does not.

    In an instrumented environment, python -m hotspan_instrumentation doctor checks the other side.

    Examples:
      hotspan doctor

      hotspan doctor --api-url http://collector:4319 --otlp-url http://collector:4318

    Exit codes: 0 everything works (there may be warnings), 1 something does not, 2 wrong option.

    """
    addresses = Addresses(api_url=api_url, api_key=api_key, otlp_url=otlp_url, ui_url=ui_url)
    checks = run_checks(addresses)
    if output is Format.JSON:
        typer.echo(json.dumps({"checks": [asdict(check) for check in checks]}, indent=2))
    else:
        _print(open_console(), checks)
    if any(check.result == "problem" for check in checks):
        raise typer.Exit(Exit.PROBLEM)


def _print(console: Console, checks: Sequence[Check]) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        said = Text(printable(check.found))
        if check.todo:
            said.append(f"\n→ {printable(check.todo)}", style="yellow")
        table.add_row(_MARKS[check.result], check.name, said)
    console.print(table)
