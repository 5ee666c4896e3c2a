"""`hotspan check`."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotspan_collector.check.run import Outcome
    from hotspan_collector.rules.catalogue import Catalogue

__all__ = ["check"]

_EXIT_FOUND = 1
_EXIT_UNREADABLE = 2


class CheckFormat(StrEnum):
    """What `hotspan check` prints."""

    TABLE = "table"
    JSON = "json"
    SARIF = "sarif"


class FailOn(StrEnum):
    """The least severity that makes `hotspan check` fail."""

    NEVER = "never"
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


_SEVERITIES = [FailOn.INFO.value, FailOn.WARNING.value, FailOn.CRITICAL.value]


def check(
    files: Annotated[
        list[Path],
        typer.Argument(help=".binpb (protobuf), .json (OTLP/JSON), .jsonl (one request a line)."),
    ],
    *,
    output: Annotated[CheckFormat, typer.Option("--format", help="What to print.")] = (
        CheckFormat.TABLE
    ),
    fail_on: Annotated[
        FailOn, typer.Option(help="Exit with 1 when a finding is as severe as this, or more.")
    ] = FailOn.WARNING,
    config: Annotated[
        Path | None, typer.Option(help="Settings file (TOML), for [rules.…].", show_default=False)
    ] = None,
) -> None:
    """Run the rules over files of OTLP traces, with no server and no data directory.

    Rules over windows look at all files together.

    Examples:
      hotspan check traces.binpb

      hotspan check --format sarif build/*.json > hotspan.sarif

      hotspan check --fail-on critical traces.jsonl

    Exit codes: 0 nothing as severe as --fail-on, 1 something is, 2 a file cannot be read.

    """
    # Loading ClickHouse takes a second, which other commands need not wait for.
    from hotspan_collector.check.engine import starting_engine  # noqa: PLC0415
    from hotspan_collector.logs import configure_logs  # noqa: PLC0415

    configure_logs("console", quiet=True)
    with starting_engine() as engine:
        from hotspan_collector.check.files import read_file  # noqa: PLC0415
        from hotspan_collector.check.run import run_rules  # noqa: PLC0415
        from hotspan_collector.errors import HotspanError  # noqa: PLC0415
        from hotspan_collector.rules.catalogue import load_catalogue  # noqa: PLC0415
        from hotspan_collector.settings import load_settings  # noqa: PLC0415

        try:
            settings = load_settings(config=config)
            catalogue = load_catalogue(
                values=settings.rules, disabled=settings.rules_disabled, folder=settings.rules_dir
            )
            read = [read_file(path) for path in files]
            requests = [request for each in read for request in each.requests]
            outcome = run_rules(engine.result(), requests, catalogue=catalogue)
        except HotspanError as error:
            typer.echo(f"hotspan check: {error}", err=True)
            raise typer.Exit(_EXIT_UNREADABLE) from None
    _warn(outcome, spans=sum(each.spans for each in read))
    _print(outcome, catalogue, output)
    if _fails(outcome, fail_on):
        raise typer.Exit(_EXIT_FOUND)


def _warn(outcome: Outcome, *, spans: int) -> None:
    if not spans:
        typer.echo("hotspan check: the files hold no spans.", err=True)
    if outcome.spans < spans:
        typer.echo(
            f"hotspan check: {spans - outcome.spans} of {spans} spans are not valid (ids, times) "
            "and were left out.",
            err=True,
        )
    for rule, reason in outcome.failed_rules.items():
        typer.echo(f"hotspan check: rule {rule} could not run: {reason}", err=True)


def _print(outcome: Outcome, catalogue: Catalogue, output: CheckFormat) -> None:
    from hotspan_collector.check.sarif import sarif_log  # noqa: PLC0415 (see above)
    from hotspan_collector.check.table import print_table  # noqa: PLC0415

    match output:
        case CheckFormat.JSON:
            findings = [finding.model_dump(mode="json") for finding in outcome.findings]
            typer.echo(json.dumps({"findings": findings}, indent=2, ensure_ascii=False))
        case CheckFormat.SARIF:
            log = sarif_log(outcome.findings, catalogue=catalogue, root=Path.cwd())
            typer.echo(json.dumps(log, indent=2, ensure_ascii=False))
        case CheckFormat.TABLE:
            print_table(outcome, catalogue)


def _fails(outcome: Outcome, fail_on: FailOn) -> bool:
    if fail_on is FailOn.NEVER:
        return False
    severe: Sequence[str] = _SEVERITIES[_SEVERITIES.index(fail_on.value) :]
    return any(finding.severity in severe for finding in outcome.findings)
