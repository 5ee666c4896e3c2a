"""How long spans are kept, by service: whole parts go, and none is rewritten."""

import json
import time
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from hotspan_collector.store.port import SpanStore
from support.collector import EMBEDDED_FIRST, Collector
from support.otlp_requests import request, span
from support.processes import ProcessError
from support.shop_traces import new_trace_id

DAY_NS = 86_400 * 10**9


def _old(service: str, *, days: float) -> bytes:
    start_ns = time.time_ns() - int(days * DAY_NS)
    one = span("GET /", trace_id=new_trace_id(), span_id="01" * 8, start_ns=start_ns, kind=2)
    return request([one], service=service)


@pytest.mark.parametrize("start_collector", EMBEDDED_FIRST, indirect=True)
def test_each_service_has_its_own_retention(start_collector):
    """Spans older than their service's are refused, with the setting's name; others are stored."""
    collector = start_collector(
        HOTSPAN_RETENTION_DAYS="10",
        HOTSPAN_RETENTION_DAYS_BY_SERVICE=json.dumps({"it's {a:String} short": 3, "long": 20}),
    )
    refused = {}
    for service, days in [("it's {a:String} short", 5), ("other", 5), ("other", 15), ("long", 15)]:
        answer = collector.post(_old(service, days=days))
        told = ExportTraceServiceResponse.FromString(answer.content).partial_success
        refused[service, days] = (
            told.rejected_spans,
            "HOTSPAN_RETENTION_DAYS" in told.error_message,
        )

    assert refused == {
        ("it's {a:String} short", 5): (1, True),
        ("other", 5): (0, False),
        ("other", 15): (1, True),
        ("long", 15): (0, False),
    }


def _after_expiry(store: SpanStore) -> list[dict[str, Any]]:
    """Rows of `spans` once the short-lived ones are gone.

    OPTIMIZE does nothing while the server's own background merge has the part.
    """
    deadline = time.monotonic() + 60
    while True:
        store.execute("OPTIMIZE TABLE spans")
        left = store.rows("SELECT service FROM spans")
        if len(left) == 1 or time.monotonic() > deadline:
            return left
        time.sleep(0.1)


def test_parts_are_dropped_as_a_whole(store: SpanStore):
    """Of one day, what is kept shorter goes; what is kept longer stays in the part it was in."""
    for service, days in [("short", 2), ("other", 0)]:
        store.execute(
            "INSERT INTO spans (start_time, trace_id, span_id, service, retention_days) "
            "SELECT now64(9) - INTERVAL 3 DAY, 'aaaaaaaaaaaaaaaa', 'bbbbbbbb', {service:String}, "
            "{days:UInt16}",
            {"service": service, "days": days},
        )
    before = store.rows(
        "SELECT name FROM system.parts WHERE table = 'spans' AND active AND "
        "database = currentDatabase() AND partition LIKE '%,0)'"
    )

    left = _after_expiry(store)

    after = store.rows(
        "SELECT name FROM system.parts WHERE table = 'spans' AND active AND rows > 0 "
        "AND database = currentDatabase()"
    )
    assert [row["service"] for row in left] == ["other"]
    assert after == before


@pytest.mark.parametrize("value", ['{"noisy": 0}', '{"noisy": "soon"}', "noisy=3"])
def test_a_retention_that_cannot_be_is_refused(tmp_path, value):
    """The message names the setting."""
    collector = Collector(tmp_path, env={"HOTSPAN_RETENTION_DAYS_BY_SERVICE": value})

    with pytest.raises(ProcessError):
        collector.start()
    assert "retention_days_by_service" in collector.process.output().lower()
    assert "Traceback" not in collector.process.output()
