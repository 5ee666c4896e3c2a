"""`hotspan backup` and `hotspan restore`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hotspan_collector.cli.client import Exit, Format
from hotspan_collector.errors import HotspanError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotspan_collector.store.backup import BackupFile, Manifest
    from hotspan_collector.store.port import SpanStore

__all__ = ["backup", "restore"]

_LONGEST_S = 86_400.0

Config = Annotated[
    Path | None, typer.Option(help="Settings file (TOML) of the collector.", show_default=False)
]
Store = Annotated[
    str | None,
    typer.Option(help="chdb:///directory, or http(s)://user:password@host:8123/database."),
]
DataDir = Annotated[
    Path | None, typer.Option(help="Directory of the embedded store.", show_default=False)
]
Output = Annotated[
    Format, typer.Option("--format", help="What to print at the end; progress goes to stderr.")
]


def backup(
    directory: Annotated[Path, typer.Argument(help="Where to write it: new, or empty.")],
    *,
    config: Config = None,
    store: Store = None,
    data_dir: DataDir = None,
    output: Output = Format.TABLE,
) -> None:
    """Write all that a store holds into a directory.

    The embedded store belongs to its collector: stop that before. A server may be in use.

    Examples:
      hotspan backup /backups/2026-11-22

      hotspan backup /backups/2026-11-22 --store http://hotspan@db:8123/hotspan

      hotspan backup /backups/2026-11-22 --format json

    Exit codes: 0 written, 1 not written (the message says why), 2 wrong option.

    """
    from hotspan_collector.store.backup import back_up  # noqa: PLC0415 (loads ClickHouse)

    made = _run(
        "backup",
        lambda opened: back_up(opened, directory, progress=_tell),
        config=config,
        store=store,
        data_dir=data_dir,
    )
    _report(made, "Written to", directory, output=output)


def restore(
    directory: Annotated[Path, typer.Argument(help="Of the backup.")],
    *,
    config: Config = None,
    store: Store = None,
    data_dir: DataDir = None,
    output: Output = Format.TABLE,
) -> None:
    """Write a backup into an empty store, which no collector uses.

    A backup of an embedded store can be restored into a ClickHouse server, and the other way round.

    Examples:
      hotspan restore /backups/2026-11-22 --data-dir /var/lib/hotspan

      hotspan restore /backups/2026-11-22 --store http://hotspan@db:8123/hotspan

      hotspan restore /backups/2026-11-22 --format json

    Exit codes: 0 restored, 1 not restored (the message says why), 2 wrong option.

    """
    from hotspan_collector.store.backup import restore as put_back  # noqa: PLC0415 (as above)

    restored = _run(
        "restore",
        lambda opened: put_back(opened, directory, progress=_tell),
        config=config,
        store=store,
        data_dir=data_dir,
    )
    _report(restored, "Restored from", directory, output=output)


def _run(
    command: str,
    work: Callable[[SpanStore], Manifest],
    *,
    config: Path | None,
    store: str | None,
    data_dir: Path | None,
) -> Manifest:
    from hotspan_collector.logs import configure_logs  # noqa: PLC0415 (as above)
    from hotspan_collector.settings import load_settings  # noqa: PLC0415 (as above)
    from hotspan_collector.store import open_store  # noqa: PLC0415 (as above)

    configure_logs("console", quiet=True)
    try:
        settings = load_settings(
            config=config, store=store, data_dir=data_dir, query_timeout_s=_LONGEST_S
        )
        opened = open_store(settings)
        try:
            return work(opened)
        finally:
            opened.close()
    except HotspanError as error:
        typer.echo(f"hotspan {command}: {error}", err=True)
        raise typer.Exit(Exit.PROBLEM) from None


def _tell(file: BackupFile, number: int, files: int) -> None:
    text = f"{number} of {files}: {file.table}, {file.rows:,} rows, {file.bytes:,} bytes"
    if sys.stderr.isatty():
        typer.echo(f"\r\033[K{text}", nl=number == files, err=True)
    else:
        typer.echo(text, err=True)


def _report(manifest: Manifest, done: str, directory: Path, *, output: Format) -> None:
    if output is Format.JSON:
        numbers = {"files": len(manifest.files), "rows": manifest.rows, "bytes": manifest.bytes}
        known = {"hotspan": manifest.hotspan, "created_at": manifest.created_at}
        typer.echo(json.dumps({"directory": str(directory), **numbers, **known}, indent=2))
        return
    typer.echo(
        f"{done} {directory}: {manifest.rows:,} rows in {len(manifest.files):,} files, "
        f"{manifest.bytes:,} bytes."
    )
