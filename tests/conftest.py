"""The real components that tests run against, each started once, when the first test asks."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.clickhouse_server import ClickhouseServer
from support.mysql_server import MysqlServer
from support.postgres_server import PostgresServer
from support.redis_server import RedisServer

_database_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def clickhouse_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickhouseServer]:
    """A server that all tests share: leave it running. To take one down, start your own."""
    server = ClickhouseServer(tmp_path_factory.mktemp("clickhouse"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def clickhouse_url(clickhouse_server: ClickhouseServer) -> Iterator[str]:
    """The DSN of an empty database on a real ClickHouse server."""
    database = f"test_{next(_database_numbers)}"
    yield clickhouse_server.create_database(database)
    clickhouse_server.query(f"DROP DATABASE {database} SYNC")


@pytest.fixture
def start_clickhouse(tmp_path: Path) -> Iterator[Callable[..., ClickhouseServer]]:
    """Start a server of the test's own, to stop, kill and restart; also several, for a cluster."""
    servers: list[ClickhouseServer] = []

    def start(**options) -> ClickhouseServer:
        server = ClickhouseServer(tmp_path / f"clickhouse-{len(servers)}", **options)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server that all tests share: leave it running."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The URL of an empty Redis."""
    redis_server.clear()
    return redis_server.url


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A server that all tests share: leave it running."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    database = f"test_{next(_database_numbers)}"
    yield postgres_server.create_database(database)
    postgres_server.drop_database(database)


@pytest.fixture(scope="session")
def mysql_server() -> Iterator[MysqlServer]:
    """A server that all tests share: leave it running."""
    server = MysqlServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()
