"""`hotspan demo`: the command line."""

from __future__ import annotations

import sys
import threading
from enum import StrEnum
from pathlib import Path  # noqa: TC003  (Typer reads the annotations)
from typing import Annotated

import typer
from rich.console import Console

from hotspan_demo import report
from hotspan_demo.errors import DemoError, StoppedError
from hotspan_demo.processes import Supervisor, stop_on_signals
from hotspan_demo.runner import Demo, progress
from hotspan_demo.settings import DemoSettings, Ports, checkout

__all__ = ["demo"]

FAILED = 1
CANNOT_RUN = 2
DEFAULTS = Ports()


class Release(StrEnum):
    """Releases of the shop."""

    PROBLEMS = "1.0.0"
    FIXED = "1.1.0"


class Format(StrEnum):
    """How the result is printed."""

    TABLE = "table"
    JSON = "json"


def demo(  # noqa: PLR0913  (a command's options)
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Run, print, and end; exit 1 unless all was found.")
    ] = False,
    release: Annotated[
        Release, typer.Option(help="The shop with its problems, or with their fixes.")
    ] = Release.PROBLEMS,
    as_version: Annotated[
        str,
        typer.Option(
            help="Report this service.version: ship the problems of 1.0.0 again as 1.2.0, say, "
            "and what was verified as fixed has regressed."
        ),
    ] = "",
    output: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.TABLE,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where store, shop and logs are; .demo of the checkout.")
    ] = None,
    store: Annotated[
        str, typer.Option(help="A ClickHouse server, http(s)://user:password@host:8123/database.")
    ] = "",
    grpc_port: Annotated[int, typer.Option(help="Port of OTLP/gRPC.")] = DEFAULTS.grpc,
    http_port: Annotated[int, typer.Option(help="Port of OTLP/HTTP.")] = DEFAULTS.http,
    api_port: Annotated[int, typer.Option(help="Port of the API.")] = DEFAULTS.api,
    ui_port: Annotated[int, typer.Option(help="Port of the UI.")] = DEFAULTS.ui,
    web_port: Annotated[int, typer.Option(help="Port of the shop.")] = DEFAULTS.web,
    stub_port: Annotated[int, typer.Option(help="Port of the outside world.")] = DEFAULTS.stub,
    start_timeout: Annotated[
        float, typer.Option(help="Seconds that a process may take until it answers.")
    ] = 60.0,
    evaluate_timeout: Annotated[
        float, typer.Option(help="Seconds that the collector may take after the traffic.")
    ] = 90.0,
) -> None:
    """Run the demo shop, the collector and the UI; print what is wrong with the shop."""
    console = Console(stderr=True)
    try:
        settings = DemoSettings(
            once=once,
            release=release,
            data_dir=(data_dir or checkout() / ".demo").resolve(),
            store=store,
            version=as_version,
            ports=Ports(
                grpc=grpc_port,
                http=http_port,
                api=api_port,
                ui=ui_port,
                web=web_port,
                stub=stub_port,
            ),
            start_timeout_s=start_timeout,
            evaluate_timeout_s=evaluate_timeout,
        )
        code = run(settings, output=output, console=console)
    except DemoError as error:
        console.print(f"hotspan demo: {error}", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(CANNOT_RUN) from error
    raise typer.Exit(code)


def run(settings: DemoSettings, *, output: Format, console: Console) -> int:
    """Run the demo and return its exit code; whatever happens, no process is left behind."""
    supervisor = Supervisor(stop=threading.Event(), grace_s=settings.stop_grace_s)
    say = progress(console)
    with stop_on_signals(supervisor):
        demo_run = Demo(settings, supervisor=supervisor, say=say)
        try:
            result = demo_run.run()
            if output is Format.JSON:
                result = demo_run.with_evidence(result)
            print_result(result, settings=settings, output=output)
            if settings.once:
                return 0 if result.passed else FAILED
            stay(supervisor, settings=settings, console=console)
        except StoppedError:
            say("Ending all processes")
            return FAILED if settings.once else 0
        finally:
            demo_run.close()
            supervisor.end_all()
    return 0


def print_result(result: report.Result, *, settings: DemoSettings, output: Format) -> None:
    if output is Format.JSON:
        sys.stdout.write(report.as_json(result) + "\n")
    else:
        report.print_table(Console(), result, with_urls=not settings.once)
    sys.stdout.flush()


def stay(supervisor: Supervisor, *, settings: DemoSettings, console: Console) -> None:
    """Keep everything running until somebody wants it to stop."""
    console.print(f"\nViolations  {settings.ui_url}/", highlight=False)
    console.print(f"Traces      {settings.ui_url}/traces", highlight=False)
    console.print(f"The shop    {settings.shop_url}/erp/orders/", highlight=False)
    console.print(f"API         {settings.api_url}/docs", highlight=False)
    console.print("\nCtrl-C ends all of it.")
    while True:
        supervisor.pause()
