"""`hotspan serve`."""

from __future__ import annotations

import asyncio
from pathlib import Path  # noqa: TC003 (Typer reads the annotations)
from typing import Annotated

import typer

from hotspan_collector.errors import HotspanError

__all__ = ["serve"]


def serve(  # noqa: PLR0913 (options)
    *,
    config: Annotated[
        Path | None, typer.Option(help="Settings file (TOML).", show_default=False)
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(help="chdb:///directory, or http(s)://user:password@host:8123/database."),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Directory of the embedded store.", show_default=False)
    ] = None,
    roles: Annotated[
        str | None,
        typer.Option(
            help="What this process does [ingest,evaluate,alerts,api].", show_default=False
        ),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on [127.0.0.1].")] = None,
    grpc_port: Annotated[int | None, typer.Option(help="Port of OTLP/gRPC [4317].")] = None,
    http_port: Annotated[int | None, typer.Option(help="Port of OTLP/HTTP [4318].")] = None,
    api_port: Annotated[int | None, typer.Option(help="Port of the API [4319].")] = None,
) -> None:
    """Run the collector: takes OTLP, stores spans, evaluates them, answers the API.

    Every setting can be given in the environment (HOTSPAN_*) or in a file; see docs/operations.md.

    Examples:
      hotspan serve

      hotspan serve --data-dir /var/lib/hotspan

      hotspan serve --store http://default@localhost:8123/hotspan

      hotspan serve --store http://default@db:8123/hotspan --roles ingest

    """
    # Loading ClickHouse takes a second, which other commands need not wait for.
    from hotspan_collector.logs import configure_logs  # noqa: PLC0415
    from hotspan_collector.serve import serve as run  # noqa: PLC0415
    from hotspan_collector.settings import load_settings  # noqa: PLC0415

    try:
        settings = load_settings(
            config=config,
            store=store,
            data_dir=data_dir,
            roles=roles,
            host=host,
            grpc_port=grpc_port,
            http_port=http_port,
            api_port=api_port,
        )
        configure_logs(settings.log_format)
        asyncio.run(run(settings, started=typer.echo))
    except* HotspanError as group:
        for error in _leaves(group):
            typer.echo(f"hotspan serve: {error}", err=True)
        raise typer.Exit(1) from None


def _leaves(group: BaseExceptionGroup[HotspanError]) -> list[BaseException]:
    leaves: list[BaseException] = []
    for error in group.exceptions:
        leaves += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return leaves
