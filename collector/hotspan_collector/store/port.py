"""What the rest of the collector asks of a store: the port that both stores implement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hotspan_collector.database import Database

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["SpanStore"]


class SpanStore(Database, Protocol):
    """A database that takes OTLP requests as they came."""

    def insert_spans(self, *requests: bytes, token: str) -> int:
        """Store the spans of ExportTraceServiceRequests; durable when it returns.

        Args:
            requests: serialized; decoded one after the other, while those before are stored.
            token: equal for every try at storing the same bytes, so that they are stored once.

        Returns:
            How many spans were written; those that are not valid are left out.

        Raises:
            StoreUnavailableError: nothing is known to be stored; try again with the same token.
            StoreRefusedError: the content cannot be stored; trying again will not help.

        """
        ...

    def describe(self) -> str:
        """Return the kind and version of the store, for people."""
        ...

    @property
    def is_shared(self) -> bool:
        """Whether other processes may use it too."""
        ...

    def private(self) -> Database:
        """Return a database whose scratch tables (`CREATE OR REPLACE TABLE`) nobody else sees.

        For one thread; closed with the store.
        """
        ...

    def write_file(self, sql: str, path: Path) -> None:
        """Write what a query returns into a file, in ClickHouse's Native format with zstd."""
        ...

    def insert_file(self, table: str, path: Path) -> None:
        """Insert the rows of such a file."""
        ...

    def span_bounds(self) -> Mapping[str, int]:
        """Return the times that a valid span may have now, in ns: the parameters of the insert.

        `oldest_ns:NAME` stands beside `oldest_ns` for a service with a retention of its own.
        """
        ...

    def close(self) -> None:
        """Release the store. It cannot be used afterwards."""
        ...
