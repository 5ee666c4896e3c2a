"""slower_query: statements that take several times as long as they did."""

from dataclasses import replace

import pytest
from rules.window_cases import Case, found_in, parametrize

from support.window_entries import (
    Entry,
    Statement,
    find,
    spread,
    store_entries,
    store_statement,
    task,
)

# A store for each case.
pytestmark = pytest.mark.slow

DAY_S = 86_400
SQL = 'SELECT "id" FROM "erp_order" WHERE "status" = ?'


def taking(ms: float, **values: object) -> Entry:
    return Entry(statements=[Statement(fingerprint=1, time_ms=ms)], **values)


def before(entry: Entry, days: int = 7, count: int = 10) -> list[Entry]:
    """Return what ran at this hour of the last days."""
    return [each for day in range(1, days + 1) for each in spread(entry, count, from_s=day * DAY_S)]


@parametrize(
    "slower_query",
    Case(
        name="four times as long",
        entries=[*before(taking(20)), *spread(taking(80), 10)],
        found=[("1", "warning")],
    ),
    Case(
        name="several calls of each request",
        entries=[
            *before(Entry(statements=[Statement(fingerprint=1, time_ms=100, count=5)])),
            *spread(Entry(statements=[Statement(fingerprint=1, time_ms=500, count=5)]), 10),
        ],
        found=[("1", "warning")],
    ),
    Case(
        name="in a task",
        entries=[
            *before(task(statements=[Statement(fingerprint=1, time_ms=200)])),
            *spread(task(statements=[Statement(fingerprint=1, time_ms=1500)]), 10),
        ],
        found=[("1", "warning")],
    ),
    Case(
        name="yesterday is enough",
        entries=[*before(taking(20), days=1, count=25), *spread(taking(80), 5)],
        found=[("1", "warning")],
    ),
    Case(name="as ever", entries=[*before(taking(20)), *spread(taking(22), 10)]),
    Case(name="twice as long", entries=[*before(taking(20)), *spread(taking(45), 10)]),
    Case(name="next to nothing", entries=[*before(taking(0.5)), *spread(taking(9), 10)]),
    Case(name="slow by itself", entries=[*before(taking(100)), *spread(taking(700), 10)]),
    Case(name="more often, not slower", entries=[*before(taking(20)), *spread(taking(20), 200)]),
    Case(name="four calls", entries=[*before(taking(20)), *spread(taking(80), 4)]),
    Case(name="new", entries=spread(taking(80), 50)),
    Case(
        name="slow at another hour",
        entries=[*spread(taking(20), 60, from_s=DAY_S // 2), *spread(taking(80), 10)],
    ),
    Case(
        name="slow at this hour of most days",
        entries=[*before(taking(20), days=2), *before(taking(80)), *spread(taking(80), 10)],
    ),
    Case(
        name="another route",
        entries=[
            *before(taking(20)),
            *spread(replace(taking(80), name="GET erp/reports/"), 10),
        ],
    ),
    Case(
        name="another environment",
        entries=[*before(taking(20)), *spread(replace(taking(80), environment="staging"), 10)],
    ),
    statements={1: SQL},
)
def test_slower_query(case):
    """A statement is judged by its own p95 at this hour of the last seven days."""
    assert list(case.found) == found_in("slower_query", case)


def test_slower_query_in_words(embedded_store):
    """It says how long the statement took, and takes."""
    store_statement(embedded_store, 1, SQL)
    store_entries(embedded_store, [*before(taking(20)), *spread(taking(80), 10)])
    [found] = find(embedded_store, "slower_query")

    assert "takes 80 ms, 4 times the 20 ms" in found.summary
    assert "EXPLAIN" in found.suggestion
