"""Asks what there is to do, many questions in one statement.

A statement costs a millisecond or two, however little it reads, and most rules have nothing to look
at in most ticks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hotspan_collector.database import exists
from hotspan_collector.errors import StoreOverloadedError, StoreRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from hotspan_collector.database import Database

__all__ = ["Gate", "Gates"]

_CONDITION = re.compile(r"(?P<table>\w+)\s+WHERE\s+(?P<condition>.+)", re.DOTALL | re.IGNORECASE)
# What may follow a condition, and would not be one.
_MORE = re.compile(
    r"\b(GROUP\s+BY|HAVING|ORDER\s+BY|LIMIT|UNION|QUALIFY|WINDOW|SETTINGS)\b", re.IGNORECASE
)
_TABLE = re.compile(r"\A\s*(\w+)|\bFROM\s+(\w+)|\bJOIN\s+(\w+)", re.IGNORECASE)
_PARAMETER = re.compile(r"\{(\w+):")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Whether there are rows in a source; without one there always are."""

    source: str = ""
    """What stands behind FROM."""
    parameters: Mapping[str, object] = field(default_factory=dict)

    @property
    def key(self) -> tuple[object, ...]:
        """What the answer depends on."""
        return (self.source, *sorted(self.used.items()))

    @property
    def used(self) -> dict[str, object]:
        """Those of the parameters that the source names."""
        return {name: self.parameters[name] for name in _PARAMETER.findall(self.source)}

    @property
    def table(self) -> str:
        """The table it asks about, when it is one and a condition."""
        parts = self._parts()
        return parts["table"] if parts is not None and not _MORE.search(self.source) else ""

    @property
    def tables(self) -> list[str]:
        """All tables it reads."""
        return [name for names in _TABLE.findall(self.source) for name in names if name]

    def counted(self, number: int) -> str:
        """Return the question as a column, its parameters named after a number."""
        parts = self._parts()
        condition = parts["condition"] if parts is not None else "1"
        named = _PARAMETER.sub(rf"{{g{number}_\1:", condition)
        return f"countIf({named}) > 0 AS g{number}"

    def _parts(self) -> re.Match[str] | None:
        return _CONDITION.fullmatch(self.source.strip())


class Gates:
    """Answers of one tick: what the tables hold must not change between asking and answering."""

    def __init__(self, database: Database, *, is_empty: Callable[[str], bool]) -> None:
        """Prepare.

        Args:
            database: holds the tables.
            is_empty: says which of them need not be asked.

        """
        self._database = database
        self._is_empty = is_empty
        self._answers: dict[tuple[object, ...], bool] = {}

    def ask(self, gates: Iterable[Gate]) -> None:
        """Answer those at once that ask about a table and a condition, and nothing more."""
        by_table: dict[str, dict[tuple[object, ...], Gate]] = {}
        for gate in gates:
            if gate.table and gate.key not in self._answers and not self._is_empty(gate.table):
                by_table.setdefault(gate.table, {})[gate.key] = gate
        for table, asked in by_table.items():
            self._ask_table(table, list(asked.values()))

    def is_open(self, gate: Gate) -> bool:
        """Whether there are rows.

        Raises:
            StoreRefusedError: the source is wrong.

        """
        if not gate.source:
            return True
        if gate.tables and all(self._is_empty(table) for table in gate.tables):
            return False
        if gate.key not in self._answers:
            self._answers[gate.key] = exists(self._database, gate.source, gate.used or None)
        return self._answers[gate.key]

    def _ask_table(self, table: str, gates: Sequence[Gate]) -> None:
        columns = ",\n    ".join(gate.counted(number) for number, gate in enumerate(gates))
        parameters = {
            f"g{number}_{name}": value
            for number, gate in enumerate(gates)
            for name, value in gate.used.items()
        }
        try:
            [row] = self._database.rows(f"SELECT {columns} FROM {table}", parameters or None)  # noqa: S608 (SQL of rules)
        except (StoreRefusedError, StoreOverloadedError):
            # One of them is wrong, or asks for too much: each is asked apart, and blamed alone.
            return
        for number, gate in enumerate(gates):
            self._answers[gate.key] = bool(row[f"g{number}"])
