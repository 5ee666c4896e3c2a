from collections import Counter

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from hotspan_collector.ingest.validity import explain, reason, rejections
from hotspan_collector.store.retention import Retention
from hotspan_collector.store.spans_insert import SpanBounds
from support.otlp_requests import request

NOW_NS = 1_790_000_000_000_000_000
HOUR_NS = 3_600_000_000_000
BOUNDS = SpanBounds(
    retention=Retention(days=1), future_tolerance_s=600, reversed_tolerance_ms=1000
).parameters(NOW_NS)


def span(**changes) -> Span:
    values = {
        "trace_id": b"\x01" * 16,
        "span_id": b"\x02" * 8,
        "start_time_unix_nano": NOW_NS - 5,
        "end_time_unix_nano": NOW_NS,
        **changes,
    }
    return Span(**values)


CASES = {
    "valid": (span(), None),
    "trace id missing": (span(trace_id=b""), "trace_id"),
    "trace id short": (span(trace_id=b"\x01" * 15), "trace_id"),
    "trace id long": (span(trace_id=b"\x01" * 17), "trace_id"),
    "trace id zero": (span(trace_id=bytes(16)), "trace_id"),
    "span id missing": (span(span_id=b""), "span_id"),
    "span id short": (span(span_id=b"\x02" * 7), "span_id"),
    "span id zero": (span(span_id=bytes(8)), "span_id"),
    "start missing": (span(start_time_unix_nano=0), "start"),
    "just kept": (
        span(start_time_unix_nano=NOW_NS - 24 * HOUR_NS, end_time_unix_nano=NOW_NS),
        None,
    ),
    "too old": (span(start_time_unix_nano=NOW_NS - 24 * HOUR_NS - 1), "old"),
    "clock a little ahead": (
        span(start_time_unix_nano=NOW_NS, end_time_unix_nano=NOW_NS + 600 * 10**9),
        None,
    ),
    "ends in the future": (span(end_time_unix_nano=NOW_NS + 601 * 10**9), "future"),
    "starts in the future": (
        span(start_time_unix_nano=NOW_NS + 601 * 10**9, end_time_unix_nano=NOW_NS),
        "future",
    ),
    "far future": (span(end_time_unix_nano=2**64 - 1), "future"),
    "clock stepped back": (span(end_time_unix_nano=NOW_NS - 10**9 - 5), None),
    "reversed": (span(end_time_unix_nano=NOW_NS - 10**9 - 6), "reversed"),
    "end missing": (span(end_time_unix_nano=0), "end"),
}


@pytest.mark.parametrize(("case", "expected"), CASES.values(), ids=CASES.keys())
def test_each_reason(case, expected):
    """A span that is not valid has exactly one reason."""
    assert expected == reason(case, BOUNDS)


def test_reasons_are_counted():
    """The spans that are fine are not counted."""
    body = request([span(), span(span_id=b""), span(trace_id=b""), span(span_id=bytes(8))])

    assert rejections(body, BOUNDS) == {("shop", "span_id"): 2, ("shop", "trace_id"): 1}


def test_every_reason_says_what_to_do():
    """The message counts each reason, and names the setting where there is one."""
    message = explain(Counter({("a", "old"): 2, ("b", "old"): 1, ("a", "trace_id"): 1}))

    assert message == (
        "3 spans: older than the retention (HOTSPAN_RETENTION_DAYS); raise it, or do not send "
        "old spans; 1 spans: trace_id must be 16 bytes and not all zero"
    )


@pytest.mark.parametrize(
    "why", sorted({expected for _, expected in CASES.values() if expected is not None})
)
def test_every_reason_has_a_message(why):
    """No reason is without words."""
    assert explain(Counter({("shop", why): 1}))
