"""A store that was away when the collector started: spans are spooled until it answers."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import structlog

from hotspan_collector.errors import HotspanError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from hotspan_collector.database import Database, Row
    from hotspan_collector.store.port import SpanStore
    from hotspan_collector.store.spans_insert import SpanBounds

__all__ = ["LateStore"]

_LOG = structlog.get_logger(__name__)
_PAUSE_S = 1.0


class LateStore:
    """A `SpanStore` that opens another one as soon as that can be reached."""

    def __init__(
        self, open_store: Callable[[], SpanStore], *, bounds: SpanBounds, error: HotspanError
    ) -> None:
        """Wait for the first use.

        Args:
            open_store: opens the store, or raises what `error` is.
            bounds: which spans are valid.
            error: why it could not be opened at the start.

        """
        self._open_store = open_store
        self._bounds = bounds
        self._error = error
        self._store: SpanStore | None = None
        self._tried_at = time.monotonic()
        self._lock = threading.Lock()

    is_shared = True

    def private(self) -> Database:
        """See `SpanStore.private`."""
        return self._opened().private()

    def write_file(self, sql: str, path: Path) -> None:
        """See `SpanStore.write_file`."""
        self._opened().write_file(sql, path)

    def insert_file(self, table: str, path: Path) -> None:
        """See `SpanStore.insert_file`."""
        self._opened().insert_file(table, path)

    def insert_spans(self, *requests: bytes, token: str) -> int:
        """See `SpanStore.insert_spans`."""
        return self._opened().insert_spans(*requests, token=token)

    def span_bounds(self) -> Mapping[str, int]:
        """See `SpanStore.span_bounds`."""
        return self._bounds.for_each_service()

    def describe(self) -> str:
        """See `SpanStore.describe`."""
        return "not reached yet" if self._store is None else self._store.describe()

    def rows(self, sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
        """See `Database.rows`."""
        return self._opened().rows(sql, parameters)

    def execute(self, sql: str, parameters: Mapping[str, object] | None = None) -> None:
        """See `Database.execute`."""
        self._opened().execute(sql, parameters)

    def insert_rows(self, table: str, rows: Sequence[Mapping[str, object]]) -> None:
        """See `Database.insert_rows`."""
        self._opened().insert_rows(table, rows)

    def json_bytes(self, sql: str, parameters: Mapping[str, object] | None = None) -> bytes:
        """See `Database.json_bytes`."""
        return self._opened().json_bytes(sql, parameters)

    def close(self) -> None:
        """See `SpanStore.close`."""
        if self._store is not None:
            self._store.close()

    def _opened(self) -> SpanStore:
        with self._lock:
            if self._store is None and time.monotonic() - self._tried_at > _PAUSE_S:
                self._tried_at = time.monotonic()
                try:
                    self._store = self._open_store()
                except HotspanError as error:
                    self._error = error
                else:
                    _LOG.info("store_opened", store=self._store.describe())
            if self._store is None:
                raise StoreUnavailableError(f"The store is not open yet: {self._error}")
            return self._store
