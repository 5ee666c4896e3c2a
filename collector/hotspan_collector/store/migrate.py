"""Brings a store's tables to what this version of the code expects."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING

import structlog

from hotspan_collector.errors import StoreRefusedError
from hotspan_collector.sql import load_blocks, split_statements

if TYPE_CHECKING:
    from hotspan_collector.database import Database
    from hotspan_collector.store.retention import Retention

__all__ = ["applied_migrations", "migrate", "set_retention", "sync_to_disk"]

_LOG = structlog.get_logger(__name__)
_QUERIES = load_blocks(__package__ or "", "migrate.sql")
# Of a migration that cannot be applied again: what finds a row when it has been.
_UNLESS = re.compile(r"-- unless: (.+)")


def migrate(database: Database) -> list[str]:
    """Apply the migrations that are not applied yet, in order; return their names.

    Each may be applied again without harm, or says when it must not be (`-- unless: SELECT …`), so
    that one which was interrupted is brought to its end by the next start.

    Raises:
        StoreRefusedError: the store was written by a newer version.

    """
    database.execute(_QUERIES["create_migrations"])
    applied = set(applied_migrations(database))
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
        done = _UNLESS.match(known[name])
        if done and database.rows(done[1]):
            continue
        for statement in split_statements(known[name]):
            database.execute(statement)
        _LOG.info("applied_migration", name=name)
    database.insert_rows("schema_migrations", [{"name": name} for name in pending])
    return pending


def applied_migrations(database: Database) -> list[str]:
    """Return the names of the migrations that a store has, in order."""
    return sorted(str(row["name"]) for row in database.rows(_QUERIES["applied_migrations"]))


def set_retention(database: Database, retention: Retention) -> None:
    """Let ClickHouse drop what is older, a day's part at a time.

    What was computed from spans is kept as long as the spans of any service.
    """
    values = {"{days}": retention.days, "{longest_days}": retention.longest_days}
    for name, statement in _QUERIES.items():
        if name.startswith("retain_"):
            for place, days in values.items():
                statement = statement.replace(place, str(int(days)))  # noqa: PLW2901 (filled in)
            database.execute(statement)


def sync_to_disk(database: Database) -> None:
    """Make inserts durable before they are acknowledged: an embedded store has no replica."""
    for name, statement in _QUERIES.items():
        if name.startswith("sync_"):
            database.execute(statement)
