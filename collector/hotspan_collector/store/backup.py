"""Backups of a store: one file a table and partition, in ClickHouse's Native format, with zstd.

They do not depend on the kind of store: what an embedded one has written, a server can take, and
the other way round (docs/adr/0006-several-collectors.md).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hotspan_collector import __version__
from hotspan_collector.errors import BackupError
from hotspan_collector.sql import load_blocks
from hotspan_collector.store.migrate import applied_migrations

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hotspan_collector.store.port import SpanStore

__all__ = ["BackupFile", "Manifest", "back_up", "read_manifest", "restore"]

_SQL = load_blocks(__package__ or "", "backup.sql")
_FORMAT = 1
_MANIFEST = "manifest.json"
# How far evaluation has come is written down before what it is about: whoever restores evaluates
# some of it again, and misses nothing.
_FIRST = ("watermarks",)
_LAST = ("spans",)
_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupFile:
    """A file of a backup."""

    table: str
    name: str
    """Relative to the backup's directory."""
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup is made of. It is written last: without it a backup is not whole."""

    format: int
    hotspan: str
    created_at: str
    migrations: Sequence[str]
    files: Sequence[BackupFile]

    @property
    def rows(self) -> int:
        """Return the rows of all files."""
        return sum(file.rows for file in self.files)

    @property
    def bytes(self) -> int:
        """Return the bytes of all files."""
        return sum(file.bytes for file in self.files)


def back_up(
    store: SpanStore, directory: Path, *, progress: Callable[[BackupFile, int, int], None]
) -> Manifest:
    """Write all that a store holds into a directory. A server's may be in use meanwhile.

    Args:
        store: to read.
        directory: must not exist, or be empty.
        progress: told of each file that is written, its number and how many there are.

    Raises:
        BackupError: the directory holds something, or cannot be written.
        HotspanError: the store cannot be read.

    """
    _refuse_cluster(store)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise BackupError(
                f"{directory} holds files already. Name a directory that is new or empty: a backup "
                "never overwrites another one."
            )
        wanted = [
            (table, row["partition"], int(row["partition_rows"]))
            for table in _tables(store)
            for row in store.rows(_SQL["parts"], {"table": table})
        ]
        files = []
        for number, (table, partition, rows) in enumerate(wanted, start=1):
            file = _write(store, directory, table=table, partition=partition, rows=rows)
            files.append(file)
            progress(file, number, len(wanted))
        manifest = Manifest(
            format=_FORMAT,
            hotspan=__version__,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            migrations=applied_migrations(store),
            files=files,
        )
        (directory / _MANIFEST).write_text(json.dumps(asdict(manifest), indent=2) + "\n", "utf-8")
    except OSError as error:
        raise BackupError(f"The backup cannot be written: {error}.") from error
    return manifest


def read_manifest(directory: Path) -> Manifest:
    """Return what a backup is made of.

    Raises:
        BackupError: there is no whole backup.

    """
    try:
        known = json.loads((directory / _MANIFEST).read_text("utf-8"))
        if known["format"] != _FORMAT:
            raise BackupError(
                f"{directory} is a backup of another format ({known['format']}). Restore it with "
                f"hotspan {known['hotspan']}, then upgrade."
            )
        return Manifest(**{**known, "files": [BackupFile(**file) for file in known["files"]]})
    except OSError as error:
        raise BackupError(
            f"{directory} is no whole backup: {error}. The manifest is written last; a backup "
            "without one was interrupted."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise BackupError(f"{directory / _MANIFEST} cannot be read: {error!r}.") from error


def restore(
    store: SpanStore, directory: Path, *, progress: Callable[[BackupFile, int, int], None]
) -> Manifest:
    """Write a backup into an empty store.

    Args:
        store: whose migrations are applied; nobody uses it.
        directory: of the backup.
        progress: told of each file that was taken, its number and how many there are.

    Raises:
        BackupError: the store is not empty, in use, or of another version; a file is damaged. The
            message says what to do. Nothing was written, unless it says so.

    """
    manifest = read_manifest(directory)
    _refuse_cluster(store)
    _check_version(store, manifest)
    _check_empty(store)
    for file in manifest.files:
        _check_file(directory, file)
    for number, file in enumerate(manifest.files, start=1):
        try:
            store.insert_file(file.table, directory / file.name)
        except Exception as error:
            raise BackupError(
                f"{file.name} could not be restored: {error}. The store holds a part of the backup "
                "now: give the next try an empty one."
            ) from error
        progress(file, number, len(manifest.files))
    return manifest


def _refuse_cluster(store: SpanStore) -> None:
    if store.rows(_SQL["distributed"])[0]["tables"]:
        raise BackupError(
            "The store is a node of a cluster, whose data lies on several servers: use "
            "ClickHouse's own BACKUP … ON CLUSTER and RESTORE."
        )


def _tables(store: SpanStore) -> list[str]:
    names = [str(row["name"]) for row in store.rows(_SQL["tables"])]
    order = {**dict.fromkeys(_FIRST, 0), **dict.fromkeys(_LAST, 2)}
    return sorted(names, key=lambda name: (order.get(name, 1), name))


def _write(
    store: SpanStore, directory: Path, *, table: str, partition: str, rows: int
) -> BackupFile:
    path = directory / table / f"{partition}.native.zst"
    path.parent.mkdir(exist_ok=True)
    # Names of tables and partitions are ClickHouse's own.
    store.write_file(f"SELECT * FROM {table} WHERE _partition_id = '{partition}'", path)  # noqa: S608
    return BackupFile(
        table=table,
        name=str(path.relative_to(directory)),
        rows=rows,
        bytes=path.stat().st_size,
        sha256=_sha256(path),
    )


def _check_version(store: SpanStore, manifest: Manifest) -> None:
    ours = applied_migrations(store)
    if list(manifest.migrations) == list(ours):
        return
    newer = sorted(set(manifest.migrations) - set(ours))
    what = f"has {', '.join(newer)}, which this version does not know" if newer else "is older"
    todo = "Upgrade hotspan" if newer else f"Restore it with hotspan {manifest.hotspan}"
    then = "" if newer else ", then start this version: it brings the tables up to date"
    raise BackupError(
        f"The backup, of hotspan {manifest.hotspan}, {what}; its tables differ from those of "
        f"hotspan {__version__}. {todo}{then}."
    )


def _check_empty(store: SpanStore) -> None:
    # First, since whoever works on an empty store fills it.
    users = [str(row["last_owner"]) for row in store.rows(_SQL["users"])]
    if users:
        raise BackupError(
            f"A collector uses the store ({users[0]}). Stop it, wait a minute if it was killed, "
            "and try again."
        )
    filled = [table for table in _tables(store) if store.rows(_SQL["parts"], {"table": table})]
    if filled:
        raise BackupError(
            f"The store holds data already ({', '.join(filled)}). A backup is restored into an "
            "empty store: give another --data-dir, or another database in --store."
        )


def _check_file(directory: Path, file: BackupFile) -> None:
    path = directory / file.name
    if not path.resolve().is_relative_to(directory.resolve()):
        raise BackupError(
            f"{file.name} does not lie in the backup; its manifest was tampered with."
        )
    try:
        found = _sha256(path)
    except OSError as error:
        raise BackupError(f"The backup is not whole: {error}. Take another one.") from error
    if found != file.sha256:
        raise BackupError(
            f"{path} is damaged: its checksum is not the manifest's. Take another backup."
        )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
