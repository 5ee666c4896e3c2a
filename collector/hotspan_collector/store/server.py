"""A ClickHouse server, over HTTP."""

from __future__ import annotations

import re
import secrets
import shutil
import sys
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.exceptions import ClickHouseError

from hotspan_collector.errors import (
    ConfigurationError,
    StoreTooOldError,
)
from hotspan_collector.store.clickhouse import (
    ENGINE_SETTINGS,
    JOIN_SETTINGS,
    JOIN_SETTINGS_SINCE,
    SPAN_SETTINGS,
    ClickHouse,
    translate_error,
)
from hotspan_collector.store.redaction import NO_REDACTION
from hotspan_collector.store.spans_insert import (
    SERVER_FORMAT,
    SpanBounds,
    delimited,
    insert_statement,
    request_structure,
)

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hotspan_collector.store.redaction import Redaction

__all__ = ["MINIMUM_VERSION", "ServerStore"]

MINIMUM_VERSION = (25, 8)

_CHUNK_BYTES = 1024 * 1024
_SESSION_TIMEOUT_S = 3600  # the most that servers allow
_SCRATCH_LIKE = re.compile(r"CREATE OR REPLACE TABLE (\w+) AS (\w+) ENGINE = Memory")


class ServerStore(ClickHouse):
    """A `SpanStore` in a ClickHouse server."""

    def __init__(  # noqa: PLR0913 (options)
        self,
        dsn: str,
        *,
        bounds: SpanBounds,
        settings: Mapping[str, object],
        insert_settings: Mapping[str, object],
        timeout_s: float,
        redaction: Redaction = NO_REDACTION,
    ) -> None:
        """Connect, and create the database when there is none.

        Args:
            dsn: `http(s)://user:password@host:8123/database`.
            bounds: which spans are valid.
            settings: ClickHouse settings of queries.
            insert_settings: ClickHouse settings of span inserts.
            timeout_s: longest time to wait for an answer, in seconds.
            redaction: what is taken out of spans before they are stored.

        Raises:
            ConfigurationError: the address cannot be used.
            StoreTooOldError: the server is older than `MINIMUM_VERSION`.
            StoreUnavailableError: the server does not answer.

        """
        parts = urlsplit(dsn)
        if not parts.hostname:
            raise ConfigurationError(
                "HOTSPAN_STORE names no host; expected http(s)://user:password@host:8123/database."
            )
        self._database = parts.path.strip("/") or "hotspan"
        self._options: dict[str, Any] = {
            "interface": parts.scheme,
            "host": parts.hostname,
            "port": parts.port or (8443 if parts.scheme == "https" else 8123),
            "username": parts.username or "default",
            "password": parts.password or "",
            "autogenerate_session_id": False,
            "send_receive_timeout": timeout_s,
            "connect_timeout": 5,
        }
        self._bounds = bounds
        self._settings = {**ENGINE_SETTINGS, **settings}
        self._insert_settings = {**SPAN_SETTINGS, **insert_settings, **SERVER_FORMAT}
        source = f"input($$ {request_structure()} $$)"
        self._insert = f"{insert_statement(source, redaction, bounds.retention)}\nFORMAT Protobuf"
        self._sessions: list[ClickHouse] = []
        super().__init__(connect=self._new_client)
        self._prepare()

    def describe(self) -> str:
        """See `SpanStore.describe`."""
        return f"ClickHouse server {self._version}"

    def span_bounds(self) -> Mapping[str, int]:
        """See `SpanStore.span_bounds`."""
        return self._bounds.for_each_service()

    is_shared = True

    def private(self) -> ClickHouse:
        """See `SpanStore.private`."""
        database = _Session(connect=self._new_session)
        self._sessions.append(database)
        return database

    def close(self) -> None:
        """See `SpanStore.close`."""
        for session in self._sessions:
            session.close()
        super().close()

    def write_file(self, sql: str, path: Path) -> None:
        """See `SpanStore.write_file`."""
        with self._client() as client, zstd.open(path, "wb") as file:
            rows: Any = client.raw_stream(sql, fmt="Native")
            shutil.copyfileobj(rows, file)

    def insert_file(self, table: str, path: Path) -> None:
        """See `SpanStore.insert_file`."""
        with self._client() as client, zstd.open(path, "rb") as file:
            chunks = (chunk for chunk in iter(partial(file.read, _CHUNK_BYTES), b""))
            client.raw_insert(table, insert_block=chunks, fmt="Native")

    def insert_spans(self, *requests: bytes, token: str) -> int:
        """See `SpanStore.insert_spans`."""
        statement = self._insert
        for name, value in self._bounds.parameters().items():
            statement = statement.replace(f"{{{name}:UInt64}}", str(value))
        pieces = [f"{statement}\n".encode(), *delimited(requests)]
        with self._client() as client:
            # As a command's data, all of them would be decoded, to see whether it reads: half
            # of our CPU. As pieces they are sent as they are.
            summary = client.raw_insert(
                "",  # the table is in the statement
                insert_block=(piece for piece in pieces),
                settings={**self._insert_settings, "insert_deduplication_token": token},
                transport_settings={"Content-Length": str(sum(map(len, pieces)))},
            )
        return int(summary.written_rows)

    def _new_client(self) -> Any:  # noqa: ANN401 (clickhouse-connect's factory is untyped)
        return clickhouse_connect.get_client(
            database=self._database, settings=self._settings, tz_mode="aware", **self._options
        )

    def _new_session(self) -> Any:  # noqa: ANN401 (as above)
        return clickhouse_connect.get_client(
            database=self._database,
            session_id=secrets.token_hex(),
            settings={**self._settings, "session_timeout": _SESSION_TIMEOUT_S},
            tz_mode="aware",
            **{**self._options, "autogenerate_session_id": None},
        )

    def _prepare(self) -> None:
        try:
            client = clickhouse_connect.get_client(**self._options)
            self._version = version = str(client.server_version)
            release = tuple(int(part) for part in version.split(".")[:2])
            if release < MINIMUM_VERSION:
                minimum = ".".join(str(part) for part in MINIMUM_VERSION)
                raise StoreTooOldError(
                    f"The ClickHouse server is version {version}; hotspan needs {minimum} or newer."
                )
            if release >= JOIN_SETTINGS_SINCE:
                self._settings = {**JOIN_SETTINGS, **self._settings}
            client.command(f"CREATE DATABASE IF NOT EXISTS `{self._database}`")
            client.close()
        except ClickHouseError as error:
            raise translate_error(error) from error


class _Session(ClickHouse):
    """Statements in one session of the server's: its scratch tables are temporary ones."""

    def execute(self, sql: str, parameters: Mapping[str, object] | None = None) -> None:
        """See `Database.execute`."""
        # A temporary table cannot be made AS another temporary one.
        sql = _SCRATCH_LIKE.sub(
            r"CREATE OR REPLACE TEMPORARY TABLE \1 ENGINE = Memory EMPTY AS SELECT * FROM \2", sql
        )
        sql = sql.replace("CREATE OR REPLACE TABLE", "CREATE OR REPLACE TEMPORARY TABLE")
        super().execute(sql, parameters)
