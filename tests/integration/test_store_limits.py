"""The memory of the store is bounded, and what is too much at once is stored in parts."""

import time
import tracemalloc

import pytest

from hotspan_collector.store.port import SpanStore
from support.embedded import shared_store
from support.otlp_requests import request, span
from support.shop_traces import new_trace_id

MIB = 1024 * 1024


def test_the_embedded_engine_has_a_limit():
    """It would take most of the machine."""
    (row,) = shared_store().rows(
        "SELECT value FROM system.server_settings WHERE name = 'max_server_memory_usage'"
    )

    assert int(row["value"]) == 4096 * MIB


def test_an_insert_copies_nothing(store: SpanStore):
    """Commits are megabytes, and several run at once."""
    now, text = time.time_ns(), "ü" * MIB
    spans = [
        span(
            "a", trace_id=new_trace_id(), span_id="01" * 8, start_ns=now, attributes={"text": text}
        )
        for _ in range(4)
    ]
    body = request(spans)
    tracemalloc.start()

    written = store.insert_spans(body, token="large")
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert written == 4
    assert peak_bytes < MIB


@pytest.mark.slow
def test_an_insert_that_is_out_of_memory_is_stored_in_parts(start_collector):
    """All of it, and the sender hears nothing of it."""
    collector = start_collector(HOTSPAN_MAX_INSERT_MEMORY_BYTES=str(64 * MIB))
    now = time.time_ns()
    trace_id = new_trace_id()
    body = request(
        [
            span(
                "a",
                trace_id=trace_id,
                span_id=f"{number + 1:016x}",
                start_ns=now,
                attributes={f"key-{each}": "x" * 400 for each in range(10)},
            )
            for number in range(6_000)
        ],
        service="large",
    )

    answer = collector.post(body)

    assert (answer.status_code, answer.content) == (200, b"")
    assert "batch_halved" in collector.process.output()
    (found,) = (each for each in collector.api("ingest")["services"] if each["service"] == "large")
    assert (found["received"], found["stored"]) == (6_000, 6_000)
