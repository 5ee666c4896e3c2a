"""Rules over windows that judge routes: times, failures, queries, middleware, caches, writes."""

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

SLOW = Entry(duration_ms=300)
FAST = Entry(duration_ms=20)
FAILED = Entry(error=True)
UPDATE = Statement(fingerprint=9, is_write=True)
WRITING = Entry(statements=[UPDATE, UPDATE])


def misses(hits: int, misses: int) -> Entry:
    return Entry(counters={"hotspan.cache.hits": hits, "hotspan.cache.misses": misses})


def by_key(name: str = "GET erp/orders/", **keys: tuple[int, int]) -> Entry:
    """Return an entry that tells hits and misses of each key."""
    counters: dict[str, float] = {
        "hotspan.cache.hits": sum(hits for hits, _ in keys.values()),
        "hotspan.cache.misses": sum(misses for _, misses in keys.values()),
    }
    for key, (hits, misses) in keys.items():
        counters[f"hotspan.cache.keys.{key}:*.hits"] = hits
        counters[f"hotspan.cache.keys.{key}:*.misses"] = misses
    return Entry(name=name, counters=counters)


def middleware(milliseconds: float) -> Entry:
    return Entry(counters={"hotspan.middleware.shop.middleware.Activity.self_ms": milliseconds})


@parametrize(
    "latency_budget",
    Case(name="p95 above its target", entries=spread(SLOW, 120), found=[("", "info")]),
    Case(
        name="p99 above its target",
        entries=[*spread(FAST, 117), *spread(Entry(duration_ms=900), 3)],
        found=[("", "info")],
    ),
    Case(
        name="mean above its target",
        entries=spread(Entry(duration_ms=120), 100),
        found=[("", "info")],
    ),
    Case(
        name="enough in an hour, not in five minutes",
        entries=spread(SLOW, 110, over_s=3000),
        found=[("", "info")],
    ),
    Case(
        name="a listing above two seconds warns sooner",
        entries=spread(Entry(duration_ms=2500), 20),
        found=[("", "warning")],
    ),
    Case(
        name="sampled entries stand for many",
        entries=[*spread(FAST, 50), *spread(replace(SLOW, weight=10), 50)],
        found=[("", "info")],
    ),
    Case(
        name="a task with a target",
        entries=spread(task(duration_ms=9000), 100),
        found=[("", "info")],
        settings={"task_p95_ms": 5000},
    ),
    Case(name="fast", entries=spread(FAST, 150)),
    Case(
        name="one slow answer in two hundred", entries=[*spread(FAST, 199), Entry(duration_ms=900)]
    ),
    Case(name="too few to say", entries=spread(SLOW, 99)),
    Case(
        name="slow an hour ago, fast now",
        entries=[*spread(SLOW, 120, from_s=1000), *spread(FAST, 120)],
    ),
    Case(name="nobody waits for a task", entries=spread(task(duration_ms=9000), 150)),
    Case(name="its own span is missing", entries=spread(replace(SLOW, partial=True), 150)),
    Case(name="two hours ago", entries=spread(SLOW, 150, from_s=7200)),
)
def test_latency_budget(case):
    """Routes are judged by what they do now, and by the hour when that is too little."""
    assert list(case.found) == found_in("latency_budget", case)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (replace(SLOW, db_time_ms=240), "80 % of the time goes to the database"),
        (replace(SLOW, http_time_ms=240), "80 % of the time goes to calls"),
        (SLOW, "Profile GET erp/orders/"),
    ],
)
def test_slowness_has_a_place(embedded_store, entry, words):
    """The suggestion says where to look."""
    store_entries(embedded_store, spread(entry, 100))

    assert words in find(embedded_store, "latency_budget")[0].suggestion


@parametrize(
    "error_rate",
    Case(
        name="5 % of requests",
        entries=[*spread(Entry(), 95), *spread(FAILED, 5)],
        found=[("", "warning")],
    ),
    Case(
        name="every other request",
        entries=[*spread(Entry(), 20), *spread(FAILED, 20)],
        found=[("", "critical")],
    ),
    Case(
        name="30 % of a task's runs",
        entries=[*spread(task(), 14), *spread(task(error=True, task_state="FAILURE"), 6)],
        found=[("", "warning")],
    ),
    Case(
        name="failures are what is sampled less",
        entries=[*spread(Entry(weight=1), 100), *spread(replace(FAILED, weight=10), 10)],
        found=[("", "critical")],
    ),
    Case(name="one of twenty is bad luck", entries=[*spread(Entry(), 19), FAILED]),
    Case(name="too few to say", entries=spread(FAILED, 19)),
    Case(name="one in two hundred", entries=[*spread(Entry(), 199), FAILED]),
    Case(
        name="tasks may fail now and then",
        entries=[*spread(task(), 37), *spread(task(error=True, task_state="FAILURE"), 3)],
    ),
    Case(
        name="retries that succeed",
        entries=[*spread(task(), 20), *spread(task(task_state="RETRY", error=True), 20)],
    ),
    Case(
        name="ignored and rejected tasks",
        entries=[
            *spread(task(), 20),
            *spread(task(task_state="IGNORED", error=True), 20),
            *spread(task(task_state="REJECTED", error=True), 20),
        ],
    ),
)
def test_error_rate(case):
    """A rate is above its limit when chance cannot explain it."""
    assert list(case.found) == found_in("error_rate", case)


def test_error_rate_in_words(embedded_store):
    """The numbers stand in the summary."""
    store_entries(embedded_store, [*spread(Entry(), 90), *spread(FAILED, 10)])

    assert [each.summary for each in find(embedded_store, "error_rate")] == [
        "10 % of the runs of GET erp/orders/ fail: 10 of 100; allowed are 1 %"
    ]


@parametrize(
    "query_budget",
    Case(
        name="a listing above ten", entries=spread(Entry(db_queries=14), 20), found=[("", "info")]
    ),
    Case(
        name="five times its budget",
        entries=spread(Entry(db_queries=60), 20),
        found=[("", "warning")],
    ),
    Case(
        name="a page about one object",
        entries=spread(Entry(name="GET erp/orders/<int:pk>/", db_queries=7), 20),
        found=[("", "info")],
    ),
    Case(name="a task above fifty", entries=spread(task(db_queries=70), 20), found=[("", "info")]),
    Case(
        name="many behind one sampled entry",
        entries=[*spread(Entry(db_queries=3), 20), Entry(db_queries=40, weight=5)],
        found=[("", "info")],
    ),
    Case(name="a listing within", entries=spread(Entry(db_queries=9), 20)),
    Case(name="a task within", entries=spread(task(db_queries=45), 20)),
    Case(
        name="once in twenty-five", entries=[*spread(Entry(db_queries=3), 24), Entry(db_queries=90)]
    ),
    Case(name="too few", entries=spread(Entry(db_queries=90), 19)),
    Case(
        name="a budget that was raised",
        entries=spread(Entry(db_queries=14), 20),
        settings={"listing_budget": 20},
    ),
)
def test_query_budget(case):
    """What a route usually needs is compared with what such a route may need."""
    assert list(case.found) == found_in("query_budget", case)


@parametrize(
    "cache_hit_rate",
    Case(name="misses most", entries=spread(misses(4, 6), 25), found=[("", "warning")]),
    Case(name="never hits", entries=spread(misses(0, 10), 25), found=[("", "warning")]),
    Case(
        name="a new release long enough ago",
        entries=[
            *spread(misses(9, 1), 25, from_s=2000),
            *spread(replace(misses(0, 10), version="1.1.0"), 25, over_s=800),
            *spread(replace(misses(0, 10), version="1.1.0"), 25, over_s=200),
        ],
        found=[("", "warning")],
        settings={"warm_up_minutes": 5},
    ),
    Case(
        name="one key misses, and another hides it",
        entries=spread(by_key(user=(90, 0), price=(1, 9)), 25),
        found=[("price:*", "warning")],
    ),
    Case(
        name="a key that several routes ask for",
        entries=[
            *spread(by_key(price=(1, 9)), 15),
            *spread(by_key("GET erp/offers/", price=(1, 9)), 15),
        ],
        found=[("price:*", "warning")],
    ),
    Case(
        name="keys of two services",
        entries=[
            *spread(by_key(price=(1, 9)), 15),
            *spread(replace(by_key(price=(1, 9)), service="chat"), 15),
        ],
    ),
    Case(
        name="many keys, each of them seldom",
        entries=spread(by_key(a=(0, 2), b=(0, 2), c=(0, 2), d=(0, 2)), 30),
    ),
    Case(name="half hits", entries=spread(misses(5, 5), 25)),
    Case(name="too few gets", entries=spread(misses(0, 10), 19)),
    Case(name="no cache at all", entries=spread(Entry(), 300)),
    Case(
        name="a new release fills its cache",
        entries=[
            *spread(misses(9, 1), 5, from_s=2000),
            *spread(replace(misses(0, 10), version="1.1.0"), 25),
        ],
    ),
)
def test_cache_hit_rate(case):
    """A cache must answer half of what it is asked."""
    assert list(case.found) == found_in("cache_hit_rate", case)


@pytest.mark.parametrize(("hits", "words"), [(0, "Not one hit"), (3, "too specific")])
def test_what_to_do_about_misses(embedded_store, hits, words):
    """A key that never comes again is another mistake than a short timeout."""
    store_entries(embedded_store, spread(misses(hits, 10), 25))

    assert words in find(embedded_store, "cache_hit_rate")[0].suggestion


@parametrize(
    "slow_middleware",
    Case(
        name="every request",
        entries=spread(middleware(80), 20),
        found=[("shop.middleware.Activity", "warning")],
    ),
    Case(
        name="as long as a page",
        entries=spread(middleware(240), 20),
        found=[("shop.middleware.Activity", "critical")],
    ),
    Case(
        name="on two routes it is still one middleware",
        entries=[
            *spread(middleware(80), 20),
            *spread(replace(middleware(90), name="GET erp/dashboard/"), 20),
        ],
        found=[("shop.middleware.Activity", "warning")],
    ),
    Case(name="quick", entries=spread(middleware(12), 20)),
    Case(name="too few", entries=spread(middleware(240), 19)),
    Case(
        name="on some requests only", entries=[*spread(middleware(240), 20), *spread(Entry(), 25)]
    ),
    Case(name="not instrumented", entries=spread(SLOW, 30)),
)
def test_slow_middleware(case):
    """The median request counts, over all requests of a route."""
    assert list(case.found) == found_in("slow_middleware", case)


def test_slow_middleware_is_about_a_service(embedded_store):
    """It is one violation, however many routes it slows; the worst of them is named."""
    store_entries(
        embedded_store,
        [
            *spread(middleware(80), 20),
            *spread(replace(middleware(90), name="GET erp/dashboard/"), 20),
        ],
    )
    (found,) = find(embedded_store, "slow_middleware")

    assert found.entry == ""
    assert found.summary == (
        "shop.middleware.Activity takes 90 ms of a request of GET erp/dashboard/ "
        "(the median of 20); routes slowed: 2"
    )


@parametrize(
    "write_on_read",
    Case(name="every GET", entries=spread(WRITING, 20), found=[("9", "warning")]),
    Case(
        name="nearly every GET",
        entries=[*spread(WRITING, 17), *spread(Entry(), 3)],
        found=[("9", "warning")],
    ),
    Case(
        name="two writes are two problems",
        entries=spread(Entry(statements=[UPDATE, Statement(fingerprint=12, is_write=True)]), 20),
        found=[("12", "warning"), ("9", "warning")],
    ),
    Case(name="now and then", entries=[*spread(WRITING, 10), *spread(Entry(), 10)]),
    Case(name="a POST may write", entries=spread(replace(WRITING, name="POST erp/orders/"), 20)),
    Case(name="a task may write", entries=spread(task(statements=[UPDATE]), 20)),
    Case(name="reads only", entries=spread(Entry(statements=[Statement()]), 30)),
    Case(name="too few", entries=spread(WRITING, 19)),
)
def test_write_on_read(case):
    """A page that is looked at does not write, except now and then."""
    assert list(case.found) == found_in("write_on_read", case)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('UPDATE "erp_activity" SET "at" = ?', "once a minute"),
        ('UPDATE "django_session" SET "session_data" = ?', "SESSION_SAVE_EVERY_REQUEST"),
    ],
)
def test_what_is_written(embedded_store, text, words):
    """The statement is shown, and a session has a setting of its own."""
    store_entries(embedded_store, spread(WRITING, 20))
    store_statement(embedded_store, 9, text)
    (found,) = find(embedded_store, "write_on_read")

    assert words in found.suggestion
    assert text in found.summary
