"""A store that an older version has written, and what becomes of it."""

from importlib.resources import files

import pytest

from hotspan_collector.api.trace import read_span
from hotspan_collector.settings import Settings
from hotspan_collector.sql import split_statements
from hotspan_collector.store import open_store
from support.clickhouse_server import ClickhouseServer

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
COLUMNS = """
    start_time, trace_id, span_id, name, service, scope_name, scope_version,
    resource, resource_types, attributes, attribute_types
"""
ROW = f"""
SELECT
    now64(9, 'UTC') - INTERVAL 1 MINUTE, unhex('{TRACE}'), unhex('{SPAN}'),
    'work', 'shop', 'scope', '1.2',
    map('service.name', 'shop', 'it\\'s', 'a \\\\ b', 'process.pid', '17'), [1, 1, 3],
    map('a', 'b'), [1]
"""


def _migrations() -> list[tuple[str, str]]:
    """Names and texts of the migrations, in order."""
    folder = files("hotspan_collector.store") / "migrations"
    found = [(each.name.removesuffix(".sql"), each.read_text("utf-8")) for each in folder.iterdir()]
    return sorted(found)


def _apply(server: ClickhouseServer, database: str, *, before: str) -> None:
    """Bring a database to where an older version had it."""
    server.query_in(
        database,
        "CREATE TABLE schema_migrations (name String, applied_at DateTime DEFAULT now()) "
        "ENGINE = ReplacingMergeTree ORDER BY name",
    )
    for name, text in _migrations():
        if name >= before:
            return
        for statement in split_statements(text):
            server.query_in(database, statement)
        server.query_in(database, f"INSERT INTO schema_migrations (name) VALUES ('{name}')")


@pytest.fixture
def old_database(clickhouse_server: ClickhouseServer, clickhouse_url: str) -> str:
    """The DSN of a store of the version that sorted spans by trace, with one span, twice."""
    database = clickhouse_url.rsplit("/", 1)[1]
    _apply(clickhouse_server, database, before="0017")
    for table in ("spans", "spans", "pinned_spans"):
        clickhouse_server.query_in(database, f"INSERT INTO {table} ({COLUMNS}) {ROW}")
    return clickhouse_url


def _read(dsn: str) -> dict[str, object]:
    store = open_store(Settings(store=dsn))
    try:
        found = read_span(store, trace_id=TRACE, span_id=SPAN)
        return {
            "resource": found.resource,
            "scope": (found.scope_name, found.scope_version),
            "attributes": found.attributes,
        }
    finally:
        store.close()


def test_spans_of_a_store_from_before_are_kept(old_database: str):
    """With what their process and their library said of themselves."""
    found = _read(old_database)

    assert found == {
        "resource": {"service.name": "shop", "it's": "a \\ b", "process.pid": 17},
        "scope": ("scope", "1.2"),
        "attributes": {"a": "b"},
    }


def test_an_upgrade_that_was_not_noted_is_no_harm(
    clickhouse_server: ClickhouseServer, old_database: str
):
    """The collector was killed when its migrations were done, and before it said so."""
    before = _read(old_database)
    clickhouse_server.query_in(
        old_database.rsplit("/", 1)[1],
        "ALTER TABLE schema_migrations DELETE WHERE name >= '0017' SETTINGS mutations_sync = 1",
    )

    assert _read(old_database) == before
