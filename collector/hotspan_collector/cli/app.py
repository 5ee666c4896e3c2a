"""The `hotspan` command and its subcommands."""

from __future__ import annotations

from typing import Annotated

import typer

from hotspan_collector.cli.deferred import Deferred, DeferringGroup

__all__ = ["COMMANDS", "app"]

_COLLECTOR = 'Install it with: pip install "hotspan[collector]".'
_UI = 'Install it with: pip install "hotspan[ui]".'
_CHECKOUT = "The demo runs in a checkout of hotspan's repository: make demo."

COMMANDS = (
    Deferred(
        "serve",
        module="hotspan_collector.cli.serve",
        help="Run the collector: takes OTLP, stores spans, evaluates them, answers the API.",
        missing=_COLLECTOR,
    ),
    Deferred(
        "check",
        module="hotspan_collector.cli.check",
        help="Run the rules over files of OTLP traces, with no server and no data directory.",
        missing=_COLLECTOR,
    ),
    Deferred(
        "violations",
        module="hotspan_collector.cli.violations",
        help="List what is wrong: where it is in the code, what it costs, and what to change.",
        missing=_COLLECTOR,
    ),
    Deferred(
        "trace",
        module="hotspan_collector.cli.trace",
        help="Show the spans of a trace as a tree, what rules found in it marked with ◆.",
        missing=_COLLECTOR,
    ),
    Deferred(
        "rules",
        module="hotspan_collector.cli.rules",
        help="What the collector looks for.",
        missing=_COLLECTOR,
    ),
    Deferred(
        "doctor",
        module="hotspan_collector.cli.doctor",
        help="Check that everything is reachable and works, and say what to do where it does not.",
        missing=_COLLECTOR,
    ),
    Deferred(
        "quarantine",
        module="hotspan_collector.cli.quarantine",
        help="List the spans that the store refused for their content, or try to store them again.",
        missing=_COLLECTOR,
    ),
    Deferred(
        "backup",
        module="hotspan_collector.cli.backup",
        help="Write all that a store holds into a directory.",
        missing=_COLLECTOR,
    ),
    Deferred(
        "restore",
        module="hotspan_collector.cli.backup",
        help="Write a backup into an empty store, which no collector uses.",
        missing=_COLLECTOR,
    ),
    Deferred("ui", module="hotspan_ui.command", help="Serve the web UI.", missing=_UI),
    Deferred(
        "demo",
        module="hotspan_demo.command",
        help="Run the demo shop, the collector and the UI; print what is wrong with the shop.",
        missing=_CHECKOUT,
    ),
)
"""Their modules are loaded when they are asked for: with all of them `--help` takes a second."""


class _Commands(DeferringGroup):
    deferred = COMMANDS


app = typer.Typer(
    name="hotspan",
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Finds the N+1 queries, slow external calls and failing tasks in your traces.",
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 (Typer calls it)
    if wanted:
        from hotspan_collector import __version__  # noqa: PLC0415 (reads installed metadata)

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
