"""The `hotspan` command and its subcommands."""

from __future__ import annotations

import importlib
from typing import Annotated

import typer

from hotspan_collector import __version__
from hotspan_collector.cli.check import check
from hotspan_collector.cli.doctor import doctor
from hotspan_collector.cli.quarantine import quarantine
from hotspan_collector.cli.rules import rules
from hotspan_collector.cli.serve import serve
from hotspan_collector.cli.trace import trace
from hotspan_collector.cli.violations import violations

__all__ = ["app"]

app = typer.Typer(
    name="hotspan",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Finds the N+1 queries, slow external calls and failing tasks in your traces.",
)


def _elsewhere(module: str, name: str, *, missing: str) -> None:
    """Register a command that lives in another package, or one that says how to get it."""
    try:
        app.command(name)(getattr(importlib.import_module(module), name))
    except ModuleNotFoundError as error:
        reason = f"hotspan {name}: {error.name} is not installed. {missing}"

        def explain() -> None:
            typer.echo(reason, err=True)
            raise typer.Exit(1)

        anything = {"ignore_unknown_options": True, "allow_extra_args": True}
        app.command(name, help=f"Not available here. {missing}", context_settings=anything)(explain)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 (Typer calls it)
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version and exit.",
            callback=_print_version,
            is_eager=True,
        ),
    ] = False,
) -> None:
    del version


app.command("serve")(serve)
app.command("check")(check)
app.command("violations")(violations)
app.command("trace")(trace)
app.add_typer(rules, name="rules")
app.command("doctor")(doctor)
app.command("quarantine")(quarantine)
_elsewhere("hotspan_ui.command", "ui", missing='Install it with: pip install "hotspan[ui]".')
_elsewhere(
    "hotspan_demo.command",
    "demo",
    missing="The demo runs in a checkout of hotspan's repository: make demo.",
)
