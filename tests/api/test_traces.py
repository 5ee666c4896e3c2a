"""Searching traces, reading one, reading a span."""

import itertools
import json

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan

from hotspan_collector.api import trace_search
from hotspan_collector.api.models import Span, Trace, TraceSummaries
from hotspan_collector.settings import Settings
from hotspan_collector.store.port import SpanStore
from support.api_server import serve_api
from support.otlp_requests import MILLISECOND_NS, key_values, now_ns, request, span
from support.shop_traces import evaluate, failing_task, new_trace_id, order_list

from .conftest import client


def search(api: httpx.Client, **query) -> list[str]:
    answer = api.get("/traces", params=query)
    assert answer.status_code == 200, answer.text
    return [each.trace_id for each in TraceSummaries.model_validate_json(answer.content).traces]


def test_search_tells_an_entry_in_full(api: httpx.Client, store: SpanStore):
    """An entry comes with its times, counters and number of findings."""
    trace_id = order_list(store, queries=20)
    evaluate(store)

    (found,) = api.get("/traces").json()["traces"]

    assert trace_id == found["trace_id"]
    assert {
        "entry_span_id": "0000000000000001",
        "duration_ms": 250.0,
        "service": "shop",
        "environment": "production",
        "version": "1.0.0",
        "kind": "web",
        "name": "GET orders/",
        "error": False,
        "http_status": 200,
        "task_state": None,
        "spans": 21,
        "queries": 20,
        "findings": 1,
        "partial": False,
    }.items() <= found.items()


_FILTERS = [
    ({"service": "shop"}, {"orders", "task"}),
    ({"service": "chat"}, {"chat"}),
    ({"environment": "staging"}, {"chat"}),
    ({"kind": "task"}, {"task"}),
    ({"name": "ORDERS"}, {"orders", "chat"}),
    ({"name": "tasks.book"}, {"task"}),
    ({"error": "true"}, {"task"}),
    ({"error": "false"}, {"orders", "chat"}),
    ({"min_duration_ms": 100}, {"orders", "chat"}),
    ({"max_duration_ms": 100}, {"task"}),
    ({"attribute": "http.route=orders/"}, {"orders", "chat"}),
    ({"attribute": "code.line.number=42", "service": "shop"}, {"orders"}),
    ({"attribute": ["http.route=orders/", "db.system.name=sqlite"]}, {"orders", "chat"}),
    ({"attribute": ["http.route=orders/", "db.system.name=mysql"]}, set()),
    ({"attribute": ["db.system.name=sqlite", "db.system.name=mysql"]}, set()),
    ({"attribute": ["db.system.name=mysql", "db.system.name=sqlite"]}, set()),
    ({"attribute": "deployment.environment.name=staging"}, {"chat"}),
    ({"attribute": "no.such="}, set()),
    ({"since": "1s"}, set()),
    ({"since": "1h"}, {"orders", "task", "chat"}),
    ({"until": "1h"}, set()),
    ({"service": "x' OR 1=1 --"}, set()),
]


def test_search_filters(api: httpx.Client, store: SpanStore):
    """Every filter leaves the entries that match it."""
    names = {
        order_list(store): "orders",
        failing_task(store): "task",
        order_list(store, service="chat", environment="staging"): "chat",
    }
    evaluate(store)

    found = [(query, {names[trace] for trace in search(api, **query)}) for query, _ in _FILTERS]

    assert found == _FILTERS


def test_attributes_that_many_spans_have_are_found_alike(
    api: httpx.Client, store: SpanStore, monkeypatch: pytest.MonkeyPatch
):
    """Few spans are matched with their entries here, many in the store."""
    names = {order_list(store): "orders", failing_task(store): "task"}
    evaluate(store)
    queries = [query for query, _ in _FILTERS if "attribute" in query]
    few = [{names[trace] for trace in search(api, **query)} for query in queries]
    monkeypatch.setattr(trace_search, "_MOST_SPANS", 0)

    many = [{names[trace] for trace in search(api, **query)} for query in queries]

    assert few == many
    assert {"orders"} in few


def test_entries_long_before_their_spans_are_found_by_attributes(
    api: httpx.Client, store: SpanStore
):
    """An entry may take hours, and have an attribute at its end."""
    hour_ms, trace_id = 3_600_000, new_trace_id()
    started = now_ns() - 6 * hour_ms * MILLISECOND_NS
    task = span(
        "run nightly",
        trace_id=trace_id,
        span_id=f"{1:016x}",
        start_ns=started,
        duration_ms=5 * hour_ms,
        kind=OtlpSpan.SPAN_KIND_CONSUMER,
    )
    last = span(
        "write",
        trace_id=trace_id,
        span_id=f"{2:016x}",
        parent=f"{1:016x}",
        start_ns=started + 4 * hour_ms * MILLISECOND_NS,
        attributes={"shop.order": "4711"},
    )
    store.insert_spans(request([task, last]), token=trace_id)
    evaluate(store)

    assert search(api, attribute="shop.order=4711") == [trace_id]


@pytest.mark.parametrize(
    "value", ["web-1", "it's", "a\\b", "two\nlines\r\t", "\b\f\0", "ü {x} [y] ('z',"]
)
def test_what_a_process_says_of_itself_is_found(api: httpx.Client, store: SpanStore, value: str):
    """Whatever stands in it; a part of it is another value."""
    trace_id = new_trace_id()
    one = span(
        "GET",
        trace_id=trace_id,
        span_id=f"{1:016x}",
        start_ns=now_ns() - 10_000 * MILLISECOND_NS,
        kind=OtlpSpan.SPAN_KIND_SERVER,
    )
    store.insert_spans(request([one], resource={"host.name": value}), token=trace_id)
    evaluate(store)

    assert search(api, attribute=f"host.name={value}") == [trace_id]
    assert search(api, attribute=f"host.name={value[:-1]}") == []
    assert search(api, attribute=f"name={value}") == []


def test_a_page_goes_on_with_older_entries(api: httpx.Client, store: SpanStore):
    """However few there are in the newest part of the period."""
    ages_ms = (90_000_000, 40_000_000, 8_000_000, 60_000)
    oldest, *others = [order_list(store, ago_ms=ago_ms) for ago_ms in ages_ms]
    evaluate(store)

    assert search(api) == others[::-1]
    assert search(api, since="2d") == [*others[::-1], oldest]
    assert search(api, limit=1, since="2d") == [others[-1]]


def test_findings_of_an_earlier_evaluation_are_not_counted(api: httpx.Client, store: SpanStore):
    """The entry was evaluated again, and nothing was found."""
    order_list(store)
    evaluate(store)
    before = [each["findings"] for each in api.get("/traces").json()["traces"]]
    store.execute(
        "INSERT INTO entries SELECT * REPLACE (generation + 1 AS generation) FROM entries"
    )

    after = [each["findings"] for each in api.get("/traces").json()["traces"]]

    assert (before, after) == ([1], [0])


def test_pages_follow_each_other_without_gap_or_overlap(api: httpx.Client, store: SpanStore):
    """Entries that start in the same nanosecond are on one page only."""
    started = now_ns() - 10_000 * MILLISECOND_NS
    ids = [new_trace_id() for _ in range(7)]
    spans = [
        span(
            "GET a/",
            trace_id=trace_id,
            span_id=f"{1:016x}",
            start_ns=started + (0 if number < 5 else 1),
            kind=OtlpSpan.SPAN_KIND_SERVER,
        )
        for number, trace_id in enumerate(ids)
    ]
    store.insert_spans(request(spans), token="pages")
    evaluate(store)

    pages, cursor = [], ""
    while cursor is not None:
        answer = api.get("/traces", params={"limit": 2, "cursor": cursor}).json()
        pages.append([each["trace_id"] for each in answer["traces"]])
        cursor = answer["next_cursor"]

    newest_first = [ids[6], ids[5], ids[4], ids[3], ids[2], ids[1], ids[0]]
    assert newest_first == list(itertools.chain(*pages))
    assert [len(page) for page in pages] == [2, 2, 2, 1]


def test_a_trace_has_its_spans_by_start_and_its_findings(api: httpx.Client, store: SpanStore):
    """A trace is answered whole, as the model describes it."""
    trace_id = order_list(store, queries=6)
    evaluate(store)

    answer = api.get(f"/traces/{trace_id.upper()}")
    trace = Trace.model_validate_json(answer.content)

    assert (trace_id, 7, False) == (trace.trace_id, trace.total_spans, trace.truncated)
    assert (trace.duration_ms, trace.services) == (110.0, ["shop"])
    assert [each.start_us for each in trace.spans[:3]] == [0, 5_000, 15_000]
    first, second = trace.spans[0], trace.spans[1]
    assert (
        first.parent_span_id,
        first.statement,
        first.code,
        first.kind,
    ) == (None, None, None, "server")
    assert (second.code.file, second.code.line) == ("/app/shop/views.py", 42)
    assert second.statement.startswith("SELECT")
    assert [(each.rule, each.count) for each in trace.findings] == [("n_plus_one", 6)]


def test_a_trace_is_found_before_it_was_evaluated(api: httpx.Client, store: SpanStore):
    """Bounds of a trace are a short cut, not a condition."""
    trace_id = order_list(store, queries=3)

    trace = api.get(f"/traces/{trace_id}").json()

    assert trace["total_spans"] == 4


def test_spans_sent_twice_are_told_once(api: httpx.Client, store: SpanStore):
    """A repeated export does not double a trace."""
    started = now_ns()
    trace_id = new_trace_id()
    body = request([span("a", trace_id=trace_id, span_id=f"{1:016x}", start_ns=started)])
    store.insert_spans(body, token="first")
    store.insert_spans(body, token="second")

    trace = api.get(f"/traces/{trace_id}").json()

    assert (trace["total_spans"], len(trace["spans"])) == (1, 1)


def test_text_of_spans_survives_the_way(api: httpx.Client, store: SpanStore):
    """Quotes, line ends, tabs and characters of any script arrive as they were sent."""
    name = 'a "quoted"\n\ttab \\ back/slash \u2028 ünïcödé 漢字 🎉 </script>'
    trace_id = new_trace_id()
    sent = span(name, trace_id=trace_id, span_id=f"{1:016x}", start_ns=now_ns())
    store.insert_spans(request([sent], service='shop "ü"\n'), token=trace_id)

    trace = api.get(f"/traces/{trace_id}").json()

    assert [name] == [each["name"] for each in trace["spans"]]
    assert trace["services"] == ['shop "ü"\n']


def test_a_large_trace_is_cut_and_says_so(store: SpanStore):
    """More spans than the setting allows are not returned, and the answer tells."""
    trace_id = order_list(store, queries=30)
    with serve_api(store, settings=Settings(max_trace_spans=10)) as url, client(url) as api:
        trace = api.get(f"/traces/{trace_id}").json()

    assert (len(trace["spans"]), trace["total_spans"], trace["truncated"]) == (10, 31, True)


def test_a_span_has_attributes_in_the_types_they_were_sent_with(
    api: httpx.Client, store: SpanStore
):
    """Numbers, truth values, lists and maps are not flattened to text."""
    sent = {
        "text": "7",
        "empty": "",
        "yes": True,
        "no": False,
        "whole": 9_007_199_254_740_993,
        "zero": 0,
        "fraction": 0.25,
        "not a number": float("nan"),
        "list": ["a", 1, None, [True]],
        "map": {"inner": {"deep": 1.5}},
        "bytes": b"\xff\x00",
        "nothing": None,
    }
    trace_id, started = new_trace_id(), now_ns()
    happened = OtlpSpan.Event(
        name="cache miss",
        time_unix_nano=started + 250_000,
        attributes=key_values({"keys": ["a", "b"]}),
    )
    cause = OtlpSpan.Link(
        trace_id=bytes.fromhex("ab" * 16),
        span_id=bytes.fromhex("cd" * 8),
        attributes=key_values({"retry": 2}),
    )
    one = span(
        "work",
        trace_id=trace_id,
        span_id="00000000000000aa",
        start_ns=started,
        attributes=sent,
        events=[happened],
        links=[cause],
    )
    store.insert_spans(request([one], resource={"pids": [1, 2]}), token=trace_id)

    answer = api.get(f"/traces/{trace_id}/spans/00000000000000AA")
    found = Span.model_validate_json(answer.content)

    shown = {**sent, "not a number": "NaN", "bytes": "/wA="}
    assert shown == found.attributes
    assert json.dumps(shown, sort_keys=True) == json.dumps(found.attributes, sort_keys=True)
    assert found.resource["pids"] == [1, 2]
    assert [(each.name, each.offset_us, each.attributes) for each in found.events] == [
        ("cache miss", 250.0, {"keys": ["a", "b"]})
    ]
    assert [(each.trace_id, each.span_id, each.attributes) for each in found.links] == [
        ("ab" * 16, "cd" * 8, {"retry": 2})
    ]


@pytest.mark.parametrize("path", [f"/traces/{'ab' * 16}", f"/traces/{'ab' * 16}/spans/{'cd' * 8}"])
def test_an_unknown_id_is_not_found(api: httpx.Client, path):
    """The answer says that nothing is there, and why that may be."""
    answer = api.get(path)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("path", "query", "hint"),
    [
        ("/traces", {"kind": "cron"}, "'web', 'task' or 'command'"),
        ("/traces", {"limit": 0}, "greater than or equal to 1"),
        ("/traces", {"limit": 100_000}, "HOTSPAN_API_MAX_PAGE"),
        ("/traces", {"attribute": "novalue"}, "key=value"),
        ("/traces", {"attribute": ["a=1"] * 9}, "8 are allowed"),
        ("/traces", {"cursor": "%%%"}, "next_cursor"),
        ("/traces", {"cursor": "bm90IG91cnM"}, "next_cursor"),
        ("/traces", {"since": "yesterday"}, "1h, 7d"),
        ("/traces", {"since": "1h", "until": "2h"}, "before until"),
        ("/traces", {"min_duration_ms": "nan"}, "min_duration_ms"),
        ("/traces/xyz", {}, "trace_id"),
    ],
)
def test_a_bad_parameter_is_refused_with_what_is_allowed(api: httpx.Client, path, query, hint):
    """Nobody has to guess what to send."""
    answer = api.get(path, params=query)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_parameter")
    assert hint in answer.json()["message"]
