"""The engine of a check. It starts in a thread of its own, while rules and files are read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from hotspan_collector.store.port import SpanStore

__all__ = ["starting_engine"]


@contextmanager
def starting_engine() -> Iterator[Future[SpanStore]]:
    """Start an engine with an empty store in memory; it is gone afterwards.

    Most of a short check is the loading of the engine, which leaves a core to others.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine") as thread:
        store = thread.submit(_open)
        try:
            yield store
        finally:
            if store.exception() is None:
                store.result().close()


def _open() -> SpanStore:
    # In the thread, for loading them takes as long as all the rest.
    from hotspan_collector.store.embedded import EmbeddedStore  # noqa: PLC0415
    from hotspan_collector.store.migrate import migrate  # noqa: PLC0415
    from hotspan_collector.store.retention import Retention  # noqa: PLC0415
    from hotspan_collector.store.spans_insert import SpanBounds  # noqa: PLC0415

    store = EmbeddedStore(
        None,
        # A file may be of any age: all times that ClickHouse can hold.
        bounds=SpanBounds(
            retention=Retention(days=200_000), future_tolerance_s=3e9, reversed_tolerance_ms=1_000
        ),
        settings={},
        insert_settings={"max_partitions_per_insert_block": 0},
    )
    try:
        migrate(store)
    except BaseException:
        store.close()
        raise
    return store
