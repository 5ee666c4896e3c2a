"""Sampled traces stand for those that were left out: counts, rates and impact agree with all."""

import random
import secrets

import pytest

from hotspan_collector.rules.catalogue import Catalogue, load_catalogue
from hotspan_collector.rules.evaluator import Evaluator, Timing
from hotspan_collector.store.port import SpanStore
from support.embedded import emptied_store
from support.otlp_requests import MILLISECOND_NS, now_ns, request
from support.window_entries import Entry, find, spread, store_entries

from .test_fixes import page

ENTRIES = 1_000
SHARE = 0.1
# W3C trace state: what is not below the threshold was kept; 0.9 of 2^56.
THRESHOLD = f"ot=th:{round((1 - SHARE) * 2**56):014x}"
AT_ONCE = Timing(settle_ms=0, settle_incomplete_ms=0, look_back_ms=60_000)
RULE = "n_plus_one"


def violation(store: SpanStore, pages: list[int], *, trace_state: str = "") -> dict:
    """Evaluate requests with these numbers of queries; return the violation they amount to."""
    began_ns = now_ns() - 120_000 * MILLISECOND_NS
    for start in range(0, len(pages), 250):
        spans = []
        for number, queries in enumerate(pages[start : start + 250], start):
            made = page(queries, start_ns=began_ns + number * MILLISECOND_NS)
            for span in made:
                span.trace_state = trace_state
            spans += made
        store.insert_spans(request(spans), token=secrets.token_hex())
    catalogue = Catalogue({RULE: load_catalogue().rules[RULE]})
    Evaluator(store, catalogue=catalogue, timing=AT_ONCE, open_after_hits=3).tick()
    [row] = store.rows("SELECT * FROM current_violations")
    return row


@pytest.mark.slow
def test_a_tenth_tells_what_all_would():
    """Hits and seconds lost agree within the error that a sample of that size has."""
    chance = random.Random(20261122)
    pages = [20 if chance.random() < 0.3 else 2 for _ in range(ENTRIES)]
    kept = [queries for queries in pages if chance.random() < SHARE]
    full = violation(emptied_store(), pages)
    sampled = violation(emptied_store(), kept, trace_state=THRESHOLD)
    # Of a count n, sampled at p: its standard deviation is sqrt(n (1 - p) / p); three of them.
    error = 3 * (full["hits"] * (1 - SHARE) / SHARE) ** 0.5

    assert full["hits"] == pages.count(20)
    assert sampled["hits"] == 10 * kept.count(20)
    assert abs(sampled["hits"] - full["hits"]) <= error
    assert sampled["lost_ns_last_day"] / full["lost_ns_last_day"] == pytest.approx(
        sampled["hits"] / full["hits"]
    )
    assert sampled["mean_wasted_ns"] == pytest.approx(full["mean_wasted_ns"])
    assert sampled["status"] == full["status"] == "open"


def test_one_sampled_hit_counts_for_those_left_out(embedded_store: SpanStore):
    """One that stands for ten is more than the three that open a violation."""
    row = violation(embedded_store, [20], trace_state=THRESHOLD)

    assert (row["status"], row["hits"]) == ("open", 10)


@pytest.mark.parametrize("weight", [1, 10])
def test_rates_over_windows_are_weighted(embedded_store: SpanStore, weight):
    """Failures that were all kept, among successes of which one in ten was."""
    good = spread(Entry(weight=weight), 1_000 // weight)
    bad = spread(Entry(error=True), 100)
    store_entries(embedded_store, [*good, *bad])
    [found] = find(embedded_store, "error_rate")

    assert "9.1%" in found.summary or "9.1 %" in found.summary
