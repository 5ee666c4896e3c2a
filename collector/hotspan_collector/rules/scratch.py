"""Tables in memory which statements fill, and which are emptied before they are filled anew."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotspan_collector.database import Database

__all__ = ["Scratch"]

_CREATED = re.compile(r"^CREATE OR REPLACE TABLE (\w+)", re.MULTILINE)
_FILLED = re.compile(r"^INSERT INTO (\w+)", re.MULTILINE)


class Scratch:
    """Knows which of its tables hold anything, so that nothing is asked of those that do not."""

    def __init__(self, database: Database, statements: Mapping[str, str]) -> None:
        """Create the tables.

        Args:
            database: holds them.
            statements: those called `create_…` make the tables.

        """
        self._database = database
        self._tables: set[str] = set()
        self._filled: set[str] = set()
        for name, statement in statements.items():
            created = _CREATED.search(statement)
            if name.startswith("create_") and created is not None:
                database.execute(statement)
                self._tables.add(created[1])

    def execute(self, statement: str, parameters: Mapping[str, object] | None = None) -> None:
        """Run a statement, which may fill one of the tables."""
        filled = _FILLED.search(statement)
        if filled is not None:
            self.note_filled(filled[1])
        self._database.execute(statement, parameters)

    def note_filled(self, *tables: str) -> None:
        """Take note of tables that others fill."""
        self._filled.update(self._tables.intersection(tables))

    def is_empty(self, table: str) -> bool:
        """Whether it is one of the tables, and nothing has been put into it."""
        return table in self._tables and table not in self._filled

    def empty(self, *tables: str) -> None:
        """Empty these tables, or all."""
        for table in sorted(self._filled.intersection(tables or self._tables)):
            self._database.execute(f"TRUNCATE TABLE {table}")
            self._filled.remove(table)
