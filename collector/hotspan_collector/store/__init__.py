"""Where spans are kept: one port, an embedded store and a server behind it."""

from __future__ import annotations

import os
import secrets
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from hotspan_collector.errors import ConfigurationError, StoreUnreachableError
from hotspan_collector.store.cluster import CLUSTER_INSERTS, CLUSTER_QUERIES, ClusterTables
from hotspan_collector.store.embedded import EmbeddedStore
from hotspan_collector.store.late import LateStore
from hotspan_collector.store.migrate import migrate, set_retention, sync_to_disk
from hotspan_collector.store.redaction import Redaction
from hotspan_collector.store.retention import Retention
from hotspan_collector.store.server import ServerStore
from hotspan_collector.store.spans_insert import SpanBounds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotspan_collector.database import Database
    from hotspan_collector.settings import Settings
    from hotspan_collector.store.port import SpanStore

_LOG = structlog.get_logger(__name__)
# What a migration of a server may take: copying a store is minutes.
_PATIENCE_S = 6 * 3600.0

__all__ = ["open_or_await_store", "open_store", "redaction_of", "retention_of"]


def open_store(settings: Settings) -> SpanStore:
    """Open the store that the settings name, and bring its tables up to date.

    Raises:
        ConfigurationError: the address is neither `chdb://` nor `http(s)://`.
        HotspanError: the store cannot be opened; the message says why and what to do.

    """
    scheme, _, rest = settings.store_dsn.partition("://")
    bounds = _bounds(settings)
    queries: dict[str, object] = {"max_execution_time": settings.query_timeout_s}
    inserts: dict[str, object] = {
        "max_execution_time": settings.insert_timeout_s,
        "max_memory_usage": settings.max_insert_memory_bytes,
        "async_insert": 0,
    }
    if settings.cluster:
        queries |= CLUSTER_QUERIES
        inserts |= CLUSTER_INSERTS
    redaction = redaction_of(settings)
    store: SpanStore
    if scheme == "chdb":
        store = EmbeddedStore(
            Path("/" + rest.lstrip("/")),
            bounds=bounds,
            settings=queries,
            insert_settings=inserts,
            redaction=redaction,
            memory_bytes=settings.embedded_memory_bytes,
        )
    elif scheme in {"http", "https"}:
        store = _server(
            settings,
            settings.store_dsn,
            queries=queries,
            inserts=inserts,
            timeout_s=settings.query_timeout_s + 5,
        )
    else:
        raise ConfigurationError(
            f"HOTSPAN_STORE begins with {scheme!r}; expected chdb:///directory or "
            "http(s)://user:password@host:8123/database."
        )
    with _tables_of(store, settings) as tables:
        migrate(tables)
        set_retention(tables, retention_of(settings))
    if scheme == "chdb":
        sync_to_disk(store)
    return store


def _server(
    settings: Settings,
    dsn: str,
    *,
    queries: dict[str, object],
    inserts: dict[str, object],
    timeout_s: float,
) -> ServerStore:
    return ServerStore(
        dsn,
        bounds=_bounds(settings),
        settings=queries,
        insert_settings=inserts,
        timeout_s=timeout_s,
        redaction=redaction_of(settings),
    )


@contextmanager
def _tables_of(store: SpanStore, settings: Settings) -> Iterator[Database]:
    """Give what migrations are applied to: the store, or all nodes of its cluster.

    Some of them copy what is stored: a server is given the time that takes.
    """
    if not store.is_shared:
        yield store
        return
    queries = dict(CLUSTER_QUERIES) if settings.cluster else {}
    with ExitStack() as opened:
        nodes = [
            opened.enter_context(
                closing(_server(settings, dsn, queries=queries, inserts={}, timeout_s=_PATIENCE_S))
            )
            for dsn in settings.cluster_nodes or [settings.store_dsn]
        ]
        if settings.cluster:
            replicated = settings.cluster_replicated
            yield ClusterTables(nodes, cluster=settings.cluster, replicated=replicated)
        else:
            yield nodes[0]


def open_or_await_store(settings: Settings) -> SpanStore:
    """Do the same, but wait in the background for a server that does not answer at the moment.

    A collector that restarts while its store is down must go on spooling.
    """
    try:
        return open_store(settings)
    except StoreUnreachableError as error:
        if not settings.spool_max_bytes:
            raise
        _LOG.warning("store_down", error=str(error))
        return LateStore(partial(open_store, settings), bounds=_bounds(settings), error=error)


def redaction_of(settings: Settings) -> Redaction:
    """Return what is taken out before something is stored."""
    return Redaction(
        sql=settings.redact_sql,
        errors=settings.redact_errors,
        urls=settings.redact_urls,
        attributes=settings.redact_attributes,
        key=_redaction_key(settings),
    )


def retention_of(settings: Settings) -> Retention:
    """Return how long spans are kept."""
    return Retention(days=settings.retention_days, by_service=settings.retention_days_by_service)


def _bounds(settings: Settings) -> SpanBounds:
    return SpanBounds(
        retention=retention_of(settings),
        future_tolerance_s=settings.future_tolerance_s,
        reversed_tolerance_ms=settings.reversed_tolerance_ms,
    )


def _redaction_key(settings: Settings) -> str:
    """Return the key of the hashes in masked texts: a setting, or one made once."""
    given = settings.redact_key.get_secret_value()
    if given:
        return given
    path = settings.data_dir.expanduser().absolute() / "redaction.key"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("utf-8")
    except OSError:
        # Nowhere to keep one: equal texts have equal hashes until the next start.
        return secrets.token_hex()
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        key = secrets.token_hex()
        file.write(key)
    return key
