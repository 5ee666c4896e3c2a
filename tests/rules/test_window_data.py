"""Rules over windows: releases, repeated questions, database load, growth."""

from collections.abc import Sequence
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

# A store or a worker for each case: many, and minutes together.
pytestmark = pytest.mark.slow

OLD = Entry(version="1.0.0", db_queries=4, duration_ms=50)
NEW = replace(OLD, version="1.1.0")

SETTING = Statement(fingerprint=1, time_ms=12)
WRITE = Statement(fingerprint=2, is_write=True)
SETTING_SQL = 'SELECT "key", "value" FROM "erp_setting" WHERE "erp_setting"."group" = ?'
WRITE_SQL = 'UPDATE "erp_setting" SET "value" = ? WHERE "key" = ?'


def before(entry: Entry, count: int = 40) -> list[Entry]:
    """Return what the old release did: from two hours to forty minutes ago."""
    return spread(entry, count, from_s=2400, over_s=4800)


def after(entry: Entry, count: int = 40) -> list[Entry]:
    """Return what the new one does, for half an hour; its first minutes are not looked at."""
    return [*spread(entry, count, over_s=1400), replace(entry, ago_s=1800)]


def between(entry: Entry, least_ms: float, most_ms: float, count: int = 40) -> list[Entry]:
    """Return an entry with durations between two."""
    step = (most_ms - least_ms) / count
    return [replace(entry, duration_ms=least_ms + step * number) for number in range(count)]


def at(entries: Sequence[Entry], spread_over: Sequence[Entry]) -> list[Entry]:
    """Give entries the times of others."""
    return [
        replace(entry, ago_s=other.ago_s)
        for entry, other in zip(entries, spread_over, strict=False)
    ]


@parametrize(
    "regression",
    Case(
        name="more queries",
        entries=[*before(OLD), *after(replace(NEW, db_queries=9))],
        found=[("queries", "warning")],
    ),
    Case(
        name="slower",
        entries=[*before(OLD), *after(replace(NEW, duration_ms=90))],
        found=[("latency", "warning")],
    ),
    Case(
        name="fails",
        entries=[*before(OLD), *after(NEW), *after(replace(NEW, error=True), 20)],
        found=[("failures", "warning")],
    ),
    Case(
        name="all of it fails",
        entries=[*before(OLD), *after(replace(NEW, error=True))],
        found=[("failures", "warning")],
    ),
    Case(
        name="a task needs more queries",
        entries=[*before(task(db_queries=4)), *after(task(db_queries=8, version="1.1.0"))],
        found=[("queries", "warning")],
    ),
    Case(name="the same", entries=[*before(OLD), *after(NEW)]),
    Case(name="better", entries=[*before(replace(OLD, db_queries=40)), *after(NEW)]),
    Case(
        name="one query more among twenty",
        entries=[*before(replace(OLD, db_queries=20)), *after(replace(NEW, db_queries=21))],
    ),
    Case(
        name="slower by what nobody feels",
        entries=[*before(replace(OLD, duration_ms=5)), *after(replace(NEW, duration_ms=9))],
    ),
    Case(
        name="a single slow answer",
        entries=[*before(OLD), *after(NEW), *after(replace(NEW, duration_ms=4000), 1)],
    ),
    Case(
        name="as varied as before",
        entries=[
            *at(between(OLD, 20, 220), before(OLD)),
            *at(between(NEW, 22, 235), after(NEW)),
        ],
    ),
    Case(name="too few of the new", entries=[*before(OLD), *after(replace(NEW, db_queries=9), 28)]),
    Case(
        name="the first minutes of a release",
        entries=[*before(OLD), *spread(replace(NEW, db_queries=9, duration_ms=900), 60)],
    ),
    Case(
        name="side by side from the beginning",
        entries=[*before(OLD), *before(replace(NEW, db_queries=9))],
    ),
    Case(
        name="the new one came first, before the window, and was rolled back to",
        entries=[
            replace(NEW, ago_s=200_000),
            *before(OLD),
            *after(replace(NEW, db_queries=9)),
        ],
    ),
    Case(
        name="side by side for as long as the window, and one is known to be newer",
        entries=[
            replace(OLD, ago_s=200_000),
            *before(OLD),
            *before(replace(NEW, db_queries=9)),
        ],
        found=[("queries", "warning")],
    ),
    Case(name="another service", entries=[*before(OLD), *after(replace(NEW, service="chat"))]),
    Case(
        name="no version",
        entries=[*before(replace(OLD, version="")), *after(replace(NEW, version="", db_queries=9))],
    ),
    Case(
        name="retries are no failures",
        entries=[
            *before(task()),
            *after(task(version="1.1.0")),
            *after(task(version="1.1.0", error=True, task_state="RETRY")),
        ],
    ),
    Case(
        name="a failure or two",
        entries=[*before(OLD), *after(NEW, 60), *after(replace(NEW, error=True), 1)],
    ),
)
def test_regression(case):
    """A release is worse when the difference is real and large enough."""
    assert list(case.found) == found_in("regression", case)


def test_regression_in_words(embedded_store):
    """Both releases and both numbers are named."""
    store_entries(embedded_store, [*before(OLD), *after(replace(NEW, db_queries=9))])
    (found,) = find(embedded_store, "regression")

    assert found.summary == (
        "GET erp/orders/ has more queries since 1.1.0: 4 in 1.0.0, 9 now (37 and 40 runs)"
    )


def asking(*statements: Statement, name: str = "GET erp/prices/") -> Entry:
    return Entry(name=name, statements=statements)


@parametrize(
    "cacheable_query",
    Case(
        name="the same on every request",
        entries=spread(asking(SETTING), 100, over_s=3000),
        found=[("1", "info")],
    ),
    Case(
        name="ten seconds an hour",
        entries=spread(asking(replace(SETTING, time_ms=150)), 100, over_s=3000),
        found=[("1", "warning")],
    ),
    Case(
        name="on several routes",
        entries=[
            *spread(asking(SETTING), 60),
            *spread(asking(SETTING, name="GET erp/orders/"), 60),
        ],
        found=[("1", "info"), ("1", "info")],
    ),
    Case(
        name="written once",
        entries=[*spread(asking(SETTING), 250), asking(WRITE, name="POST erp/settings/")],
        found=[("1", "info")],
    ),
    Case(
        name="sampled",
        entries=spread(replace(asking(SETTING), weight=10), 12),
        found=[("1", "info")],
    ),
    Case(name="too seldom", entries=spread(asking(SETTING), 99)),
    Case(name="too quick to matter", entries=spread(asking(replace(SETTING, time_ms=0.2)), 200)),
    Case(
        name="other parameters each time",
        entries=[
            replace(each, statements=[replace(SETTING, param_hash=f"{number:016x}")])
            for number, each in enumerate(spread(Entry(), 150))
        ],
    ),
    Case(name="parameters not known", entries=spread(asking(replace(SETTING, param_hash="")), 150)),
    Case(
        name="written as often as read",
        entries=[*spread(asking(SETTING), 150), *spread(asking(WRITE), 50)],
    ),
    Case(
        name="often within few requests",
        entries=spread(asking(replace(SETTING, count=50, time_ms=600)), 10),
    ),
    statements={1: SETTING_SQL, 2: WRITE_SQL},
)
def test_cacheable_query(case):
    """What is asked again and again, while nobody changes it, belongs into a cache."""
    assert list(case.found) == found_in("cacheable_query", case)


@pytest.mark.parametrize(
    "text",
    [
        'SELECT "session_data" FROM "django_session" WHERE "session_key" = ?',
        'SELECT "id" FROM "erp_stock" WHERE "id" = ? FOR UPDATE',
        "SELECT nextval(?) FROM erp_sequence",
        "SELECT ?",
    ],
)
def test_what_no_cache_can_answer(embedded_store, text):
    """Sessions have backends of their own; locks and sequences are asked for their effect."""
    store_statement(embedded_store, 1, text)
    store_entries(embedded_store, spread(asking(SETTING), 150))

    assert find(embedded_store, "cacheable_query") == []


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (spread(asking(SETTING), 150), "Nothing wrote to erp_setting"),
        ([*spread(asking(SETTING), 250), asking(WRITE)], "where erp_setting is written"),
    ],
)
def test_what_to_cache(embedded_store, entries, words):
    """The suggestion names the table, and says whether the cache must be told of writes."""
    store_statement(embedded_store, 1, SETTING_SQL)
    store_statement(embedded_store, 2, WRITE_SQL)
    store_entries(embedded_store, entries)

    assert words in find(embedded_store, "cacheable_query")[0].suggestion


def using(milliseconds: float, **databases: float) -> Entry:
    return Entry(
        duration_ms=milliseconds,
        databases={name: round(ms * 1e6) for name, ms in databases.items()},
    )


@parametrize(
    "database_load",
    Case(
        name="four fifths of a core",
        entries=spread(using(900, postgresql=800), 300),
        found=[("postgresql", "warning")],
    ),
    Case(
        name="many queries at once",
        entries=spread(using(900, postgresql=9000), 30),
        found=[("postgresql", "warning")],
    ),
    Case(
        name="sampled",
        entries=spread(replace(using(900, postgresql=800), weight=10), 30),
        found=[("postgresql", "warning")],
    ),
    Case(
        name="several services of one system",
        entries=[
            *spread(using(900, postgresql=800), 150),
            *spread(replace(using(900, postgresql=800), service="worker"), 150),
        ],
        found=[("postgresql", "warning")],
    ),
    Case(name="half a core", entries=spread(using(900, postgresql=500), 300)),
    Case(name="two databases", entries=spread(using(900, orders=400, reports=400), 300)),
    Case(
        name="two environments",
        entries=[
            *spread(using(900, postgresql=800), 150),
            *spread(replace(using(900, postgresql=800), environment="staging"), 150),
        ],
    ),
    Case(name="a peak that is over", entries=spread(using(900, postgresql=800), 300, from_s=400)),
)
def test_database_load(case):
    """Seconds a second of a database, over five minutes, by all who use it."""
    assert list(case.found) == found_in("database_load", case)


def listing(rows: int, queries: int, ago_s: float = 60) -> Entry:
    return Entry(db_max_rows=rows, db_queries=queries, ago_s=ago_s)


@parametrize(
    "growth",
    Case(
        name="a query a row",
        entries=[listing(number % 40 + 1, number % 40 + 3) for number in range(80)],
        found=[("queries", "info")],
    ),
    Case(
        name="longer by the hour",
        entries=[listing(500 + 10 * number, 2, 40_000 - 900 * number) for number in range(40)],
        found=[("rows", "info")],
    ),
    Case(
        name="the same queries for all sizes",
        entries=[listing(number % 40 + 1, 4) for number in range(80)],
    ),
    Case(
        name="a query more for some",
        entries=[listing(number % 40 + 1, 4 + (number % 40 > 20)) for number in range(80)],
    ),
    Case(
        name="pages of one size",
        entries=[listing(25, 3, 40_000 - 900 * number) for number in range(40)],
    ),
    Case(
        name="sizes as they come",
        entries=[
            listing(100 + 37 * number % 400, 3, 40_000 - 900 * number) for number in range(40)
        ],
    ),
    Case(
        name="hardly longer",
        entries=[listing(5000 + number, 2, 40_000 - 900 * number) for number in range(40)],
    ),
    Case(name="too few", entries=[listing(number + 1, number + 3) for number in range(29)]),
    Case(name="rows not known", entries=[listing(0, number) for number in range(60)]),
)
def test_growth(case):
    """More rows must not need more queries, and a listing must not grow with the table."""
    assert list(case.found) == found_in("growth", case)
