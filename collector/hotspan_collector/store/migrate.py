"""Brings a store's tables to what this version of the code expects."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import structlog

from hotspan_collector.errors import StoreRefusedError
from hotspan_collector.sql import load_blocks, split_statements

if TYPE_CHECKING:
    from hotspan_collector.database import Database

__all__ = ["migrate", "set_retention"]

_LOG = structlog.get_logger(__name__)
_QUERIES = load_blocks(__package__ or "", "migrate.sql")


def migrate(database: Database) -> list[str]:
    """Apply the migrations that are not applied yet, in order; return their names.

    Each may be applied again without harm, so that two collectors which start at once do not hurt
    each other.

    Raises:
        StoreRefusedError: the store was written by a newer version.

    """
    database.execute(_QUERIES["create_migrations"])
    applied = {str(row["name"]) for row in database.rows(_QUERIES["applied_migrations"])}
    known = {
        item.name.removesuffix(".sql"): item.read_text("utf-8")
        for item in files(__package__).joinpath("migrations").iterdir()
        if item.name.endswith(".sql")
    }
    newer = sorted(applied - known.keys())
    if newer:
        raise StoreRefusedError(
            f"The store was written by a newer hotspan (migrations {', '.join(newer)}). "
            "Upgrade this collector, or give it another store."
        )
    pending = sorted(known.keys() - applied)
    for name in pending:
        for statement in split_statements(known[name]):
            database.execute(statement)
        database.execute(_QUERIES["record_migration"], {"name": name})
        _LOG.info("applied_migration", name=name)
    return pending


def set_retention(database: Database, *, days: int) -> None:
    """Let ClickHouse drop what is older than `days`, a day's part at a time."""
    for name, statement in _QUERIES.items():
        if name.startswith("retain_"):
            database.execute(statement.replace("{days}", str(int(days))))


def sync_to_disk(database: Database) -> None:
    """Make inserts durable before they are acknowledged: an embedded store has no replica."""
    for name, statement in _QUERIES.items():
        if name.startswith("sync_"):
            database.execute(statement)
