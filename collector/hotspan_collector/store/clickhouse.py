"""SQL over clickhouse-connect: what the embedded store and the server store have in common."""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from clickhouse_connect.driver.exceptions import (
    ClickHouseError,
    OperationalError,
    StreamFailureError,
)

from hotspan_collector.errors import (
    HotspanError,
    StoreOverloadedError,
    StoreRefusedError,
    StoreUnavailableError,
    StoreUnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from clickhouse_connect.driver.client import Client

    from hotspan_collector.database import Row

__all__ = [
    "ENGINE_SETTINGS",
    "JOIN_SETTINGS",
    "JOIN_SETTINGS_SINCE",
    "SPAN_SETTINGS",
    "ClickHouse",
    "translate_error",
]

_CODE = re.compile(r"[Cc]ode: (\d+)")

ENGINE_SETTINGS: Mapping[str, object] = {
    # FINAL never has to compare the days: what has versions has its start in its key.
    "do_not_merge_across_partitions_select_final": 1,
    # Our statements are many and their rows few: compiling them took a quarter of the evaluator's
    # time.
    "compile_expressions": 0,
    "compile_aggregate_expressions": 0,
    "compile_sort_description": 0,
    # attributes['a'] would be taken from every row of a table in memory before any condition is
    # applied, once for each key.
    "optimize_functions_to_subcolumns": 0,
    # What follows from a = b AND b < 5: nothing in our statements, for half of the time that their
    # analysis took.
    "optimize_and_compare_chain": 0,
}
"""ClickHouse settings that every statement of ours has."""

JOIN_SETTINGS: Mapping[str, object] = {
    # Of tables that are joined by trace and span, two would be joined by their trace alone: every
    # span of a long trace with every entry of it.
    "enable_join_transitive_predicates": 0,
}
"""ClickHouse settings of our queries, for versions that know them."""
JOIN_SETTINGS_SINCE = (26, 4)

SPAN_SETTINGS: Mapping[str, object] = {
    **ENGINE_SETTINGS,
    # Requests are decoded while the spans of those before are made into rows: on two cores an
    # insert takes three quarters of the time. All of them become one part all the same.
    "input_format_max_block_size_bytes": 8 * 1024 * 1024,
    "min_insert_block_size_bytes": 0,
}
"""ClickHouse settings of every insert of spans."""

_TOO_MANY_DAYS = "partitions for single INSERT block"

_OVERLOADED_CODES = frozenset(
    {
        159,  # TIMEOUT_EXCEEDED
        241,  # MEMORY_LIMIT_EXCEEDED
    }
)

# ClickHouse's errors that say "not now" rather than "not this".
_TEMPORARY_CODES = frozenset(
    {
        75,  # CANNOT_WRITE_TO_FILE_DESCRIPTOR: a disk is full
        76,  # CANNOT_OPEN_FILE
        96,  # CANNOT_WRITE_TO_SOCKET
        164,  # READONLY, while a disk is full
        173,  # CANNOT_ALLOCATE_MEMORY
        201,  # QUOTA_EXCEEDED
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        203,  # NO_FREE_CONNECTION
        204,  # CANNOT_FSYNC
        209,  # SOCKET_TIMEOUT
        210,  # NETWORK_ERROR
        225,  # NO_ZOOKEEPER
        236,  # ABORTED: it is stopping
        242,  # TABLE_IS_READ_ONLY
        243,  # NOT_ENOUGH_SPACE
        252,  # TOO_MANY_PARTS
        279,  # ALL_CONNECTION_TRIES_FAILED
        285,  # TOO_FEW_LIVE_REPLICAS
        294,  # CANNOT_WRITE_TO_FILE
        319,  # UNKNOWN_STATUS_OF_INSERT
        373,  # SESSION_IS_LOCKED: a statement of ours still runs
        394,  # QUERY_WAS_CANCELLED
        425,  # SYSTEM_ERROR
        439,  # CANNOT_SCHEDULE_TASK
        497,  # ACCESS_DENIED, while somebody changes rights
        516,  # AUTHENTICATION_FAILED, while somebody changes passwords
        586,  # CANNOT_CREATE_FILE
        735,  # QUERY_WAS_CANCELLED_BY_CLIENT
        745,  # SERVER_OVERLOADED
        999,  # KEEPER_EXCEPTION
        1000,  # POCO_EXCEPTION: the network, or files
        1001,  # STD_EXCEPTION: files, among others a full disk
    }
)


def translate_error(error: Exception) -> HotspanError:
    """Say in our words whether trying again can help."""
    text = str(error)
    code = _CODE.search(text)
    if isinstance(error, OperationalError | StreamFailureError) and code is None:
        return StoreUnreachableError(f"The store cannot be reached: {text}")
    # The code of "too many days in one insert" is also that of "too many parts at the moment".
    if code is not None and (int(code.group(1)) in _OVERLOADED_CODES or _TOO_MANY_DAYS in text):
        return StoreOverloadedError(f"It was too much for the store at once: {text}")
    if code is not None and int(code.group(1)) in _TEMPORARY_CODES:
        return StoreUnavailableError(f"The store cannot do it at the moment: {text}")
    return StoreRefusedError(text)


class ClickHouse:
    """Runs SQL with one client a thread: clients are not for concurrent use."""

    def __init__(self, *, connect: Callable[[], Client]) -> None:
        """Prepare; the first call of each thread connects.

        Args:
            connect: makes a client, which has the settings of queries: embedded, settings given
                with a call cost 8 ms each time.

        """
        self._connect = connect
        self._local = threading.local()
        self._clients: list[Client] = []
        self._lock = threading.Lock()

    def rows(self, sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
        """See `Database.rows`."""
        with self._client() as client:
            result = client.query(sql, parameters=_plain(parameters))
            return list(result.named_results())

    def execute(self, sql: str, parameters: Mapping[str, object] | None = None) -> None:
        """See `Database.execute`."""
        with self._client() as client:
            client.command(sql, parameters=_plain(parameters))

    def insert_rows(self, table: str, rows: Sequence[Mapping[str, object]]) -> None:
        """See `Database.insert_rows`."""
        if not rows:
            return
        # As data: a parameter must fit into an HTTP field, which servers limit to 128 KiB.
        lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        with self._client() as client:
            client.raw_insert(
                table,
                insert_block=lines.encode(),
                fmt="JSONEachRow",
            )

    def json_bytes(self, sql: str, parameters: Mapping[str, object] | None = None) -> bytes:
        """See `Database.json_bytes`."""
        with self._client() as client:
            answer: bytes = client.raw_query(sql, parameters=_plain(parameters))
            return answer

    def close(self) -> None:
        """Close the clients of all threads."""
        with self._lock:
            for client in self._clients:
                client.close()
            self._clients.clear()

    @contextmanager
    def _client(self) -> Iterator[Client]:
        try:
            client = getattr(self._local, "client", None)
            if client is None:
                client = self._connect()
                self._local.client = client
                with self._lock:
                    self._clients.append(client)
            yield client
        except ClickHouseError as error:
            raise translate_error(error) from error


def _plain(parameters: Mapping[str, object] | None) -> dict[str, Any] | None:
    return None if parameters is None else dict(parameters)
