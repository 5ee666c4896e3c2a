"""The same migrations on a cluster of ClickHouse servers.

Tables of spans, and of what is computed by trace, lie as `…_local` on every node, with a
Distributed table of the old name in front: a trace is on one shard. All others are small, and lie
on the first node. Each statement is run on the nodes by their own addresses, so that it needs
neither ON CLUSTER nor Keeper (docs/adr/0006-several-collectors.md).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hotspan_collector.database import Database, Row

__all__ = ["CLUSTER_INSERTS", "CLUSTER_QUERIES", "ClusterTables"]

_BY_TRACE = "cityHash64(trace_id)"
_SHARDED: Mapping[str, str] = {
    "spans": _BY_TRACE,
    "spans_by_arrival": _BY_TRACE,
    "entries": _BY_TRACE,
    "findings": _BY_TRACE,
    "publications": _BY_TRACE,
    "trace_bounds": _BY_TRACE,
    "span_exceptions": _BY_TRACE,
    # filled on each shard, by a view on its entries
    "releases": "cityHash64(service)",
}
_NAMES = re.compile(
    rf"\b((?:TABLE(?: IF NOT EXISTS)?|INTO|FROM|TO)\s+)({'|'.join(_SHARDED)})(?!\w)"
)
_ENGINE = re.compile(r"\bENGINE = (\w*MergeTree)(\((\w+)\))?")
_KIND = re.compile(
    r"(?P<table>CREATE (?:OR REPLACE )?TABLE)|(?P<alter>ALTER TABLE)"
    r"|(?P<trigger>CREATE MATERIALIZED VIEW)|(?P<view>CREATE (?:OR REPLACE )?VIEW)"
    r"|(?P<insert>INSERT INTO)|(?P<exchange>EXCHANGE TABLES \w+ AND (?P<other>\w+))"
    r"|(?P<drop>DROP TABLE)"
)
_TARGET = re.compile(r"(?:TABLES?|INTO|VIEW)(?: IF NOT EXISTS)? (\w+)")

CLUSTER_QUERIES: Mapping[str, object] = {
    "distributed_foreground_insert": 1,
    # Shards would be asked for what the evaluator has put aside.
    "parallel_distributed_insert_select": 0,
    # What an evaluator has put aside is known on its node only, and sent with each question.
    "prefer_global_in_and_join": 1,
}
"""ClickHouse settings of every statement on a cluster."""

CLUSTER_INSERTS: Mapping[str, object] = {
    **CLUSTER_QUERIES,
    # Otherwise rows of other shards are counted twice in written_rows, by which we acknowledge.
    "prefer_localhost_replica": 0,
}
"""ClickHouse settings of inserts of spans."""


class ClusterTables:
    """A `Database` for migrations: brings each statement to the nodes that it is for."""

    def __init__(self, nodes: Sequence[Database], *, cluster: str, replicated: bool) -> None:
        """Prepare.

        Args:
            nodes: every server of the cluster; the first is the one that collectors talk to.
            cluster: its name in the servers' `remote_servers`.
            replicated: the nodes of a shard are replicas, by Keeper.

        """
        self._nodes = nodes
        self._cluster = cluster
        self._replicated = replicated

    def rows(self, sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
        """Ask the first node."""
        return self._nodes[0].rows(sql, parameters)

    def execute(self, sql: str, parameters: Mapping[str, object] | None = None) -> None:
        """Run what a migration says, where it belongs."""
        everywhere, statements = self.rewrite(sql)
        # The first node comes last: what it says of itself then holds for all of them.
        for node in reversed(self._nodes if everywhere else self._nodes[:1]):
            for statement in statements:
                node.execute(statement, parameters)

    def insert_rows(self, table: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Insert on the first node."""
        self._nodes[0].insert_rows(table, rows)

    def json_bytes(self, sql: str, parameters: Mapping[str, object] | None = None) -> bytes:
        """Ask the first node."""
        return self._nodes[0].json_bytes(sql, parameters)

    def rewrite(self, sql: str) -> tuple[bool, list[str]]:
        """Return whether a statement is for every node, and what is to be run there."""
        code = re.sub(r"^\s*--.*$", "", sql, flags=re.MULTILINE).strip()
        kind, target = _KIND.match(code), _TARGET.search(code)
        if kind is None or target is None or kind["view"]:
            return False, [sql]
        table = target[1]
        if kind["trigger"]:
            return True, [_local(code)]
        if table not in _SHARDED:
            # Its own rows are on the first node; with replication, on every node.
            is_table = not kind["insert"]
            return bool(self._replicated and is_table), [self._with_engine(code, table)]
        if kind["exchange"]:
            swapped = f"EXCHANGE TABLES {table}_local AND {kind['other']}_local"
            return True, [swapped, self._distributed(table)]
        statements = [self._with_engine(_local(code), f"{table}_local")]
        if kind["table"] or (kind["alter"] and "ADD COLUMN" in code):
            statements.append(self._distributed(table))
        if kind["drop"]:
            statements.append(f"DROP TABLE {table}")
        return True, statements

    def _distributed(self, table: str) -> str:
        return (
            f"CREATE OR REPLACE TABLE {table} AS {table}_local ENGINE = "
            f"Distributed('{self._cluster}', currentDatabase(), '{table}_local', "
            f"{_SHARDED[table]})"
        )

    def _with_engine(self, sql: str, table: str) -> str:
        if not self._replicated:
            return sql
        shard = "{shard}" if table.endswith("_local") else "all"
        path = f"'/clickhouse/tables/{{database}}/{shard}/{table}', '{{replica}}'"
        return _ENGINE.sub(
            lambda found: (
                f"ENGINE = Replicated{found[1]}({path}{f', {found[3]}' if found[3] else ''})"
            ),
            sql,
        )


def _local(sql: str) -> str:
    return _NAMES.sub(r"\1\2_local", sql)
