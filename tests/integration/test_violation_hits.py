"""What findings amount to is added up from five minutes each."""

import time
from importlib.resources import files

from hotspan_collector.sql import split_statements
from hotspan_collector.store.port import SpanStore
from support.shop_traces import evaluate, order_list

_HOUR_MS = 3_600_000
_FIVE_MINUTES_MS = 300_000
_VIOLATIONS = "SELECT hits, lost_ns_last_day, mean_wasted_ns FROM violations FINAL"
_HITS = "SELECT * EXCEPT (generation) FROM violation_hits FINAL ORDER BY fingerprint, five_minutes"


def _evaluated(store: SpanStore, *, hours_ago: list[int]) -> None:
    """One evaluation for each."""
    for hours in hours_ago:
        order_list(store, ago_ms=hours * _HOUR_MS + 5_000)
        evaluate(store)


def test_hits_are_added_up_over_time(store: SpanStore):
    """All that was ever found counts as a hit, and the last day's as lost a day."""
    _evaluated(store, hours_ago=[60, 2, 0, 0])

    [row] = store.rows(_VIOLATIONS)

    assert (row["hits"], row["lost_ns_last_day"]) == (4, 3 * row["mean_wasted_ns"])


def test_the_last_second_of_five_minutes_counts(store: SpanStore):
    """Two entries a tenth of a second before five minutes are over and after."""
    now_ms = time.time_ns() // 10**6
    border_ms = now_ms - now_ms % _FIVE_MINUTES_MS
    for start_ms in (border_ms - 100, border_ms + 100):
        order_list(store, ago_ms=now_ms - start_ms)
    evaluate(store)

    assert [row["hits"] for row in store.rows(_VIOLATIONS)] == [2]


def test_findings_of_stores_from_before_are_counted_alike(store: SpanStore):
    """The migration counts what the evaluations since would have."""
    _evaluated(store, hours_ago=[60, 2, 0, 0])
    counted = store.rows(_HITS)
    store.execute("TRUNCATE TABLE violation_hits")

    migration = files("hotspan_collector.store") / "migrations" / "0016_violation_hits.sql"
    for statement in split_statements(migration.read_text("utf-8")):
        store.execute(statement)

    assert len(counted) >= 3
    assert store.rows(_HITS) == counted
