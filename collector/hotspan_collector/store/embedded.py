"""ClickHouse in our own process (chdb). One process owns the data directory."""

from __future__ import annotations

import fcntl
import os
import threading
from typing import TYPE_CHECKING, Any

import chdb
import clickhouse_connect

from hotspan_collector.errors import DataDirectoryInUseError, StoreRefusedError
from hotspan_collector.sql import literal
from hotspan_collector.store.clickhouse import (
    ENGINE_SETTINGS,
    JOIN_SETTINGS,
    SPAN_SETTINGS,
    ClickHouse,
    translate_error,
)
from hotspan_collector.store.redaction import NO_REDACTION
from hotspan_collector.store.spans_insert import (
    EMBEDDED_FORMAT,
    SpanBounds,
    delimited,
    insert_statement,
    request_structure,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hotspan_collector.store.redaction import Redaction

__all__ = ["DATABASE", "EmbeddedStore"]

DATABASE = "hotspan"

# A small machine's share: the engine's defaults are for servers (mark cache 5 GiB).
_ENGINE_OPTIONS = {
    "mark_cache_size": 256 * 1024 * 1024,
    "uncompressed_cache_size": 0,
    "background_pool_size": 2,
}


_PLACE = "{place}"


class EmbeddedStore(ClickHouse):
    """A `SpanStore` in a directory, for one machine and no server."""

    def __init__(  # noqa: PLR0913 (options)
        self,
        directory: Path | None,
        *,
        bounds: SpanBounds,
        settings: Mapping[str, object],
        insert_settings: Mapping[str, object],
        redaction: Redaction = NO_REDACTION,
        memory_bytes: int = 0,
    ) -> None:
        """Open the directory, creating it when there is none.

        Args:
            directory: holds the store; owned by this process until `close`. None: the store is
                gone after `close`; a process has one.
            bounds: which spans are valid.
            settings: ClickHouse settings of queries.
            insert_settings: ClickHouse settings of span inserts.
            redaction: what is taken out of spans before they are stored.
            memory_bytes: that the engine may use in all; 0 for 90 % of the machine's.

        Raises:
            DataDirectoryInUseError: another process owns the directory.

        """
        self._address = ":memory:" if directory is None else str(directory)
        self._lock_file = None if directory is None else _lock(directory)
        self._bounds = bounds
        self._engine_options = {**_ENGINE_OPTIONS, "max_server_memory_usage": memory_bytes}
        self._settings = {**ENGINE_SETTINGS, **JOIN_SETTINGS, **settings}
        self._insert_settings = {**SPAN_SETTINGS, **insert_settings, **EMBEDDED_FORMAT}
        # The place of the bytes is the only thing that differs between two inserts.
        self._insert = insert_statement(
            f"file('{_PLACE}', 'Protobuf', $$ {request_structure()} $$)",
            redaction,
            bounds.retention,
        )
        self._inserters = threading.local()
        self._connections: list[Any] = []
        super().__init__(connect=self._new_client)
        root = self._root()
        root.query(f"CREATE DATABASE IF NOT EXISTS {DATABASE} ENGINE = Atomic")
        self._version = str(root.query("SELECT version()", "TSV")).strip()

    is_shared = False

    def private(self) -> EmbeddedStore:
        """See `SpanStore.private`: nobody else has this store."""
        return self

    def describe(self) -> str:
        """See `SpanStore.describe`."""
        return f"embedded ClickHouse {self._version}"

    def span_bounds(self) -> Mapping[str, int]:
        """See `SpanStore.span_bounds`."""
        return self._bounds.for_each_service()

    def write_file(self, sql: str, path: Path) -> None:
        """See `SpanStore.write_file`."""
        self.execute(
            f"INSERT INTO FUNCTION file({literal(path.resolve())}, 'Native', 'auto', 'zstd') {sql}"
        )

    def insert_file(self, table: str, path: Path) -> None:
        """See `SpanStore.insert_file`."""
        source = f"file({literal(path.resolve())}, 'Native', 'auto', 'zstd')"
        self.execute(f"INSERT INTO {table} SELECT * FROM {source}")  # noqa: S608 (a table of ours)

    def insert_spans(self, *requests: bytes, token: str) -> int:
        """See `SpanStore.insert_spans`."""
        # chdb reads from files only; a memory file has no disk behind it.
        descriptor = os.memfd_create("otlp")
        try:
            with os.fdopen(os.dup(descriptor), "wb") as memory:
                memory.writelines(delimited(requests))
            statement = self._insert.replace(_PLACE, f"/proc/{os.getpid()}/fd/{descriptor}")
            result = self._inserter().query(
                f"{statement}\nSETTINGS insert_deduplication_token = '{token}'",
                params=self._bounds.parameters(),
            )
        except RuntimeError as error:
            raise translate_error(error) from error
        finally:
            os.close(descriptor)
        return int(result.rows_written())

    def close(self) -> None:
        """See `SpanStore.close`."""
        super().close()
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        if self._lock_file is not None:
            self._lock_file.close()

    def _new_client(self) -> Any:  # noqa: ANN401 (clickhouse-connect's factory is untyped)
        return clickhouse_connect.get_client(
            dsn=f"chdb://{self._address}",
            database=DATABASE,
            settings=self._settings,
            chdb_options=self._engine_options,
            tz_mode="aware",
        )

    def _root(self) -> Any:  # noqa: ANN401 (chdb is untyped)
        options = "&".join(f"{name}={value}" for name, value in self._engine_options.items())
        try:
            connection = chdb.connect(  # type: ignore[no-untyped-call]
                f"{self._address}?{options}"
            )
        except RuntimeError as error:
            raise StoreRefusedError(
                f"The embedded store in {self._address} cannot be opened: {error}"
            ) from error
        self._connections.append(connection)
        return connection

    def _inserter(self) -> Any:  # noqa: ANN401 (chdb is untyped)
        connection = getattr(self._inserters, "connection", None)
        if connection is None:
            connection = self._root()
            connection.query(f"USE {DATABASE}")
            for name, value in self._insert_settings.items():
                connection.query(_set(name, value))
            self._inserters.connection = connection
        return connection


def _set(name: str, value: object) -> str:
    return f"SET {name} = {literal(value)}"


def _lock(directory: Path) -> Any:  # noqa: ANN401 (an open file)
    # chdb's own error for this does not say what is wrong.
    directory.mkdir(parents=True, exist_ok=True)
    lock = (directory.parent / f"{directory.name}.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        owner = lock.read().strip()
        lock.close()
        raise DataDirectoryInUseError(
            f"The data directory {directory} belongs to another collector"
            f"{f' (process {owner})' if owner else ''}. Stop that one, or choose another directory "
            "with --data-dir."
        ) from error
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock
