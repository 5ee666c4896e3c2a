"""An embedded store for tests: one a process, emptied before each test.

chdb allows a process one data directory, so all tests share it. Tests that must end a store, or
kill its process, start a process of their own.
"""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

import pytest

from hotspan_collector.settings import Settings
from hotspan_collector.store import open_store
from hotspan_collector.store.port import SpanStore

_TABLES = (
    "spans",
    "entries",
    "publications",
    "statements",
    "findings",
    "pinned_findings",
    "pinned_spans",
    "violations",
    "violation_hits",
    "violation_actions",
    "violation_changes",
    "releases",
    "rule_records",
    "rule_runs",
    "rule_overrides",
    "alert_outbox",
    "trace_bounds",
    "watermarks",
)


@pytest.fixture
def embedded_store() -> SpanStore:
    """An empty store."""
    return emptied_store()


def emptied_store() -> SpanStore:
    """Return the store of this process, emptied: for what lasts longer than one test."""
    store = shared_store()
    for table in _TABLES:
        store.execute(f"TRUNCATE TABLE {table}")
    return store


@functools.cache
def shared_store() -> SpanStore:
    """Return the store of this process; it goes when the process ends."""
    directory = Path(tempfile.mkdtemp(prefix="hotspan-store-"))
    store = open_store(Settings(data_dir=directory))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    atexit.register(store.close)
    return store
