"""Rules over windows: blind spots, and connections opened for each request."""

from dataclasses import replace

import pytest
from rules.window_cases import Case, found_in, parametrize

from support.window_entries import (
    Entry,
    spread,
)

# A store or a worker for each case: many, and minutes together.
pytestmark = pytest.mark.slow

WHOLE = Entry(db_queries=3)


@parametrize(
    "instrumentation_gap",
    Case(name="no database spans", entries=spread(Entry(), 20), found=[("database", "info")]),
    Case(
        name="an orphan",
        entries=[*spread(WHOLE, 60), Entry(partial=True)],
        found=[("orphans", "info")],
    ),
    Case(
        name="many orphans",
        entries=[*spread(WHOLE, 60), *spread(Entry(partial=True), 6)],
        found=[("orphans", "warning")],
    ),
    Case(
        name="dropped spans",
        entries=[*spread(WHOLE, 60), replace(WHOLE, counters={"hotspan.spans_dropped": 40})],
        found=[("dropped", "info")],
    ),
    Case(
        name="sampled",
        entries=spread(replace(WHOLE, weight=10), 5),
        found=[("sampled", "info")],
    ),
    Case(name="all is there", entries=spread(WHOLE, 60)),
    Case(
        name="pages without a query beside others",
        entries=[*spread(Entry(name="GET health/"), 60), WHOLE],
    ),
    Case(name="just started", entries=spread(Entry(), 19)),
    Case(
        name="nothing was dropped",
        entries=spread(replace(WHOLE, counters={"hotspan.spans_dropped": 0}), 20),
    ),
)
def test_instrumentation_gap(case):
    """What cannot be seen is told, once a service."""
    assert list(case.found) == found_in("instrumentation_gap", case)


def connecting(connects: int, database: str = "postgresql db shop") -> Entry:
    return Entry(
        databases={database: 1_000_000},
        counters={"hotspan.db.connects": connects, "hotspan.db.connect_ms": 8.0 * connects},
    )


@parametrize(
    "connection_per_request",
    Case(name="each request", entries=spread(connecting(1), 20), found=[("", "info")]),
    Case(
        name="every other",
        entries=[*spread(connecting(1), 20), *spread(connecting(0), 20)],
        found=[("", "info")],
    ),
    Case(
        name="pages without a query do not count",
        entries=[*spread(connecting(1), 20), *spread(Entry(name="GET health/"), 200)],
        found=[("", "info")],
    ),
    Case(name="kept", entries=[*spread(connecting(1), 4), *spread(connecting(0), 40)]),
    Case(name="a file", entries=spread(connecting(1, "sqlite shop.sqlite3"), 40)),
    Case(name="too few", entries=spread(connecting(1), 19)),
    Case(
        name="not known",
        entries=spread(Entry(duration_ms=10, databases={"postgresql": 5_000_000}), 40),
    ),
)
def test_connection_per_request(case):
    """Most requests find a connection open."""
    assert list(case.found) == found_in("connection_per_request", case)
