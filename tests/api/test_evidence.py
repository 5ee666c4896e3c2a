"""Evidence is kept beyond its retention, as long as its violation is somebody's work."""

import time

import httpx
import pytest

from hotspan_collector.rules.pins import pin_evidence
from hotspan_collector.store.port import SpanStore
from support.shop_traces import evaluate, order_list

LATER_MS = 4_000_000_000_000


def _expire(store: SpanStore) -> None:
    """Do what the end of the retention does."""
    for table in ("spans", "entries", "findings", "trace_bounds"):
        store.execute(f"TRUNCATE TABLE {table}")


@pytest.fixture
def pinned(api: httpx.Client, store: SpanStore) -> dict:
    """A violation whose evidence was copied, as it was told before."""
    order_list(store)
    evaluate(store)
    (found,) = api.get("/violations").json()["violations"]
    pin_evidence(store, before_ms=LATER_MS, most_spans=1000)
    return api.get(f"/violations/{found['id']}").json()


def test_a_violation_keeps_its_evidence(api: httpx.Client, store: SpanStore, pinned: dict):
    """The page of the violation reads as before."""
    _expire(store)

    assert pinned["evidence"]["span_ids"]
    assert api.get(f"/violations/{pinned['id']}").json() == pinned


def test_its_trace_is_read_as_before(api: httpx.Client, store: SpanStore, pinned: dict):
    """With all its spans, each once, and all that they carry."""
    trace_id = pinned["evidence_trace_id"]
    before = api.get(f"/traces/{trace_id}").json()
    span_id = before["spans"][0]["span_id"]
    span_before = api.get(f"/traces/{trace_id}/spans/{span_id}").json()
    _expire(store)

    after = api.get(f"/traces/{trace_id}").json()

    assert len(before["spans"]) == before["total_spans"] == 1 + 20
    assert after == before
    assert api.get(f"/traces/{trace_id}/spans/{span_id}").json() == span_before


def test_while_both_are_there_each_counts_once(api: httpx.Client, store: SpanStore, pinned: dict):
    """Findings and spans that are pinned and not yet gone."""
    (entry,) = api.get("/traces").json()["traces"]
    trace = api.get(f"/traces/{pinned['evidence_trace_id']}").json()

    assert (entry["findings"], len(trace["findings"])) == (1, 1)
    assert pin_evidence(store, before_ms=LATER_MS, most_spans=1000) == 0


def test_only_old_evidence_of_unsettled_violations_is_copied(store: SpanStore):
    """What has just come need not be; what is resolved is nobody's work."""
    order_list(store)
    evaluate(store)
    now_ms = time.time_ns() // 1_000_000
    young = pin_evidence(store, before_ms=now_ms - 3_600_000, most_spans=1000)
    store.execute(
        "INSERT INTO violations SELECT * REPLACE ('resolved' AS status, "
        "updated_at + INTERVAL 1 SECOND AS updated_at) FROM violations FINAL"
    )

    settled = pin_evidence(store, before_ms=LATER_MS, most_spans=1000)

    assert (young, settled) == (0, 0)


def test_newer_evidence_takes_the_place_of_older(api: httpx.Client, store: SpanStore, pinned: dict):
    """So that a violation that goes on for years has two traces of evidence at most."""
    for _ in range(3):
        time.sleep(0.01)
        order_list(store)
        evaluate(store)
        pin_evidence(store, before_ms=LATER_MS, most_spans=1000)

    traces = store.rows("SELECT uniqExact(trace_id) AS traces FROM pinned_spans")
    findings = store.rows("SELECT count() AS findings FROM pinned_findings FINAL")
    assert findings == [{"findings": 2}]
    assert traces[0]["traces"] in {1, 2}
