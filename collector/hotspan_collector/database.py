"""Runs SQL: the port through which everything but the store itself knows ClickHouse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Database", "Row", "exists", "time_text"]

Row = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def time_text(milliseconds: int) -> str:
    """Return a time, milliseconds since 1970, as `insert_rows` takes it."""
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")


class Database(Protocol):
    """Runs SQL. Safe to use from several threads; every call blocks its thread."""

    def rows(self, sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
        """Run a query and return its rows by column name.

        Raises:
            StoreUnavailableError: the store cannot be reached; try again later.
            StoreRefusedError: the query is wrong, or asks for too much.

        """
        ...

    def execute(self, sql: str, parameters: Mapping[str, object] | None = None) -> None:
        """Run a statement that returns nothing. Raises as `rows` does."""
        ...

    def insert_rows(self, table: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Insert rows by column name, however long their texts are. Raises as `rows` does."""
        ...

    def json_bytes(self, sql: str, parameters: Mapping[str, object] | None = None) -> bytes:
        """Run a query that ends in a FORMAT clause and return ClickHouse's own bytes."""
        ...


def exists(database: Database, source: str, parameters: Mapping[str, object] | None = None) -> bool:
    """Whether there are rows in `source`, which is what stands behind FROM."""
    return bool(database.rows(f"SELECT 1 AS one FROM {source} LIMIT 1", parameters))  # noqa: S608 (SQL of rules)
