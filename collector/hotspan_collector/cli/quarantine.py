"""`hotspan quarantine`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from hotspan_collector.api.ingest_models import QuarantineReplay, QuarantineReport
from hotspan_collector.cli.client import ApiKey, ApiUrl, Exit, Format, open_api
from hotspan_collector.cli.terminal import open_console, printable

__all__ = ["quarantine"]


def quarantine(
    *,
    replay: Annotated[bool, typer.Option("--replay", help="Try to store the spans again.")] = False,
    output: Annotated[
        Format, typer.Option("--format", help="What to print; JSON is the API's answer.")
    ] = Format.TABLE,
    api_url: ApiUrl = "http://127.0.0.1:4319",
    api_key: ApiKey = "",
) -> None:
    """List the spans that the store refused for their content, or try to store them again.

    Their bytes are kept in the folder quarantine of the collector's HOTSPAN_DATA_DIR.

    Examples:
      hotspan quarantine

      hotspan quarantine --replay

    Exit codes: 0 answered (1 when a replay was refused again), 2 wrong option, 3 API not reachable.

    """
    with open_api(api_url, api_key) as api:
        if replay:
            answer = QuarantineReplay.model_validate_json(api.post("/quarantine/replay", {}))
            typer.echo(f"{answer.stored} spans stored, {answer.rejected} refused again.")
            raise typer.Exit(Exit.PROBLEM if answer.rejected else Exit.OK)
        if output is Format.JSON:
            typer.echo(api.get("/quarantine"))
            return
        found = api.read(QuarantineReport, "/quarantine")
    if not found.items:
        typer.echo("The quarantine is empty: the store refused nothing.")
        return
    table = Table("id", "when", "service", "spans", "bytes", "the store said")
    for item in found.items:
        when = datetime.fromtimestamp(item.quarantined_at_ms / 1000, UTC)
        numbers = (f"{item.spans:,}", f"{item.bytes:,}")
        texts = (printable(item.service), *numbers, printable(item.message[:200]))
        table.add_row(item.id, f"{when:%Y-%m-%d %H:%M:%S}", *texts)
    open_console().print(table)
