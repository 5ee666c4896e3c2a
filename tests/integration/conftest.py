"""Collectors to test against: on the embedded store, and on a real ClickHouse server."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hotspan_collector.settings import Settings
from hotspan_collector.store import open_store
from hotspan_collector.store.port import SpanStore
from support.collector import Collector
from support.embedded import shared_store
from support.evaluations import empty

STORES = ("embedded", "server")
_numbers = itertools.count(1)


@pytest.fixture(scope="session", params=STORES)
def collector(request, tmp_path_factory) -> Iterator[Collector]:
    """A collector that all tests share: leave it running, and use a service of your own."""
    collector = Collector(
        tmp_path_factory.mktemp("collector"),
        store=_database(request) if request.param == "server" else "",
        env={"HOTSPAN_MAX_REQUEST_BYTES": "200000"},
    )
    collector.start()
    yield collector
    assert collector.stop() == 0


@pytest.fixture(params=STORES)
def start_collector(request, tmp_path: Path) -> Iterator[Callable[..., Collector]]:
    """Start a collector of the test's own, to kill, stop and restart."""
    started: list[Collector] = []

    def start(**env: str) -> Collector:
        number = len(started)
        store = _database(request) if request.param == "server" else ""
        collector = Collector(tmp_path / f"collector-{number}", store=store, env=env)
        started.append(collector)
        collector.start()
        return collector

    yield start
    for collector in started:
        collector.stop()


@pytest.fixture(scope="session", params=STORES)
def kept_store(request) -> Iterator[SpanStore]:
    """A store in this process; what is in it, other tests have left."""
    if request.param == "embedded":
        yield shared_store()
    else:
        store = open_store(Settings(store=_database(request)))
        yield store
        store.close()


@pytest.fixture
def store(kept_store: SpanStore) -> SpanStore:
    """An empty store in this process."""
    empty(kept_store)
    return kept_store


@pytest.fixture
def service() -> str:
    """A name that no other test has used."""
    return f"service-{next(_numbers)}"


def _database(request) -> str:
    server = request.getfixturevalue("clickhouse_server")
    return str(server.create_database(f"collector_{next(_numbers)}"))
