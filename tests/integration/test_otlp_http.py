"""OTLP over HTTP, as SDKs and other senders speak it."""

import gzip
import json
import time

import pytest
from google.protobuf import json_format
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.http.trace_exporter import Compression, OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from support.collector import EMBEDDED_FIRST, Collector
from support.otlp_requests import request, span
from support.shop_traces import new_trace_id

INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNAUTHENTICATED = 3, 8, 16


def one_span(trace_id: str, **changes) -> bytes:
    values = {"trace_id": trace_id, "span_id": "01" * 8, "start_ns": time.time_ns(), **changes}
    return request([span("a", **values)])


def partial_success(content: bytes) -> tuple[int, str]:
    answer = ExportTraceServiceResponse.FromString(content).partial_success
    return answer.rejected_spans, answer.error_message


@pytest.mark.parametrize(
    "compression", [Compression.NoCompression, Compression.Gzip], ids=lambda each: each.value
)
def test_spans_of_the_sdk_arrive(collector: Collector, service, compression):
    """What the SDK exports over HTTP can be read back over the API, compressed or not."""
    exporter = OTLPSpanExporter(endpoint=f"{collector.http_url}/v1/traces", compression=compression)
    provider = TracerProvider(resource=Resource({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("outer") as outer, tracer.start_as_current_span("inner"):
        trace_id = f"{outer.get_span_context().trace_id:032x}"
    provider.shutdown()

    trace = collector.trace(trace_id)

    assert trace is not None
    assert [each["name"] for each in trace["spans"]] == ["outer", "inner"]
    assert trace["services"] == [service]


def test_spans_in_json_arrive(collector: Collector, service):
    """OTLP's JSON: hex ids, integers as text."""
    trace_id = new_trace_id()
    now = time.time_ns()
    document = {
        "resourceSpans": [
            {
                "resource": {
                    "attributes": [{"key": "service.name", "value": {"stringValue": service}}]
                },
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": trace_id.upper(),
                                "spanId": "0A" * 8,
                                "name": "from json",
                                "kind": 2,
                                "startTimeUnixNano": str(now),
                                "endTimeUnixNano": now + 1_000_000,
                                "attributes": [{"key": "n", "value": {"intValue": "7"}}],
                                "unknown": {"field": 1},
                            }
                        ]
                    }
                ],
            }
        ]
    }

    answer = collector.post(json.dumps(document).encode(), content_type="application/json")

    assert (answer.status_code, answer.json()) == (200, {})
    stored = collector.api(f"traces/{trace_id}/spans/{'0a' * 8}")
    assert stored["name"] == "from json"
    assert stored["kind"] == "server"
    assert stored["attributes"] == {"n": 7}


def test_gzip_is_taken(collector: Collector):
    """A compressed body, whatever the case of the header's name."""
    trace_id = new_trace_id()

    answer = collector.post(gzip.compress(one_span(trace_id)), headers={"Content-Encoding": "gzip"})

    assert answer.status_code == 200
    assert collector.trace(trace_id)


def test_success_says_nothing(collector: Collector):
    """An empty answer in the encoding of the request: all is stored."""
    answer = collector.post(one_span(new_trace_id()))

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/x-protobuf"


@pytest.mark.parametrize("content_type", ["application/x-protobuf", "application/json"])
def test_an_empty_request_is_fine(collector: Collector, content_type):
    """SDKs send them at times."""
    body = b"{}" if content_type == "application/json" else b""

    assert collector.post(body, content_type=content_type).status_code == 200


def test_good_spans_of_a_bad_request_are_stored(collector: Collector):
    """Rejected spans are counted and explained; the others are there."""
    trace_id = new_trace_id()
    now = time.time_ns()
    day_ns = 86_400 * 10**9
    spans = [
        span("good", trace_id=trace_id, span_id="01" * 8, start_ns=now),
        span("no id", trace_id=trace_id, span_id="", start_ns=now),
        span("zero id", trace_id="00" * 16, span_id="02" * 8, start_ns=now),
        span("short id", trace_id="01" * 8, span_id="02" * 8, start_ns=now),
        span("old", trace_id=trace_id, span_id="03" * 8, start_ns=now - 31 * day_ns),
        span("future", trace_id=trace_id, span_id="04" * 8, start_ns=now + day_ns),
        span("reversed", trace_id=trace_id, span_id="05" * 8, start_ns=now, duration_ms=-5_000),
        span("no start", trace_id=trace_id, span_id="06" * 8, start_ns=0),
    ]

    rejected, message = partial_success(collector.post(request(spans)).content)

    assert rejected == 7
    assert "HOTSPAN_RETENTION_DAYS" in message
    trace = collector.trace(trace_id)
    assert trace is not None
    assert [each["name"] for each in trace["spans"]] == ["good"]


def test_rejections_are_told_in_json_too(collector: Collector):
    """The answer has the encoding of the request."""
    body = request([span("a", trace_id="00" * 16, span_id="01" * 8, start_ns=time.time_ns())])
    document = json_format.MessageToDict(ExportTraceServiceRequest.FromString(body))
    spans = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    spans[0]["traceId"], spans[0]["spanId"] = "00" * 16, "01" * 8

    answer = collector.post(json.dumps(document).encode(), content_type="application/json")

    assert answer.status_code == 200
    assert answer.json()["partialSuccess"]["rejectedSpans"] == "1"


GARBAGE = {
    "no protobuf": (b"\xff\xff\xff", {}),
    "cut short": (one_span("01" * 16)[:-3], {}),
    "no UTF-8": (one_span("01" * 16).replace(b"shop", b"\xff\xfe\xfd\xfc"), {}),
    "no gzip": (b"plain", {"content-encoding": "gzip"}),
    "half of gzip": (gzip.compress(one_span("01" * 16))[:-9], {"content-encoding": "gzip"}),
}


@pytest.mark.parametrize(("body", "headers"), GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_refused_for_good(collector: Collector, body, headers):
    """400 with google.rpc.Status, so that senders drop it and say why."""
    answer = collector.post(body, headers=headers)

    assert answer.status_code == 400
    assert Status.FromString(answer.content).code == INVALID_ARGUMENT
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"resourceSpans": 1}', b"\xff"])
def test_garbage_in_json_is_refused_in_json(collector: Collector, body):
    """The refusal has the encoding of the request."""
    answer = collector.post(body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["code"] == INVALID_ARGUMENT


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
def test_too_large_is_refused_after_decompression(collector: Collector, compressed):
    """413: a small body that grows beyond the limit is too large as well."""
    body = one_span(new_trace_id(), attributes={"text": "x" * 200_001})
    headers = {"content-encoding": "gzip"} if compressed else {}

    answer = collector.post(gzip.compress(body) if compressed else body, headers=headers)

    assert answer.status_code == 413
    status = Status.FromString(answer.content)
    assert status.code == RESOURCE_EXHAUSTED
    assert not status.details
    assert "HOTSPAN_MAX_REQUEST_BYTES" in status.message


@pytest.mark.parametrize(
    "headers",
    [{"content-type": "text/plain"}, {"content-type": ""}, {"content-encoding": "br"}],
    ids=["type", "no type", "encoding"],
)
def test_what_is_not_spoken_here_is_refused(collector: Collector, headers):
    """415 says what is."""
    answer = collector.post(one_span(new_trace_id()), headers=headers)

    assert answer.status_code == 415


@pytest.mark.parametrize("path", ["/v1/metrics", "/v1/logs"])
@pytest.mark.parametrize("content_type", ["application/x-protobuf", "application/json"])
def test_other_signals_are_answered_and_discarded(collector: Collector, path, content_type):
    """Stock distributions send them; an error would fill their logs."""
    body = b"{}" if content_type == "application/json" else b""

    answer = collector.post(body, path=path, content_type=content_type)

    assert answer.status_code == 200
    assert answer.content == body


def test_a_request_sent_twice_counts_once(collector: Collector, service):
    """A sender that did not hear the answer sends again; nothing is counted twice."""
    trace_id = new_trace_id()
    now = time.time_ns() // 10**6 * 10**6
    root = span("GET orders/", trace_id=trace_id, span_id="01" * 8, start_ns=now, kind=2)
    queries = [
        span(
            "SELECT",
            trace_id=trace_id,
            span_id=f"{number + 16:016x}",
            parent="01" * 8,
            start_ns=now,
            kind=3,
            attributes={"db.system": "sqlite", "db.statement": "SELECT a FROM b WHERE id = %s"},
        )
        for number in range(6)
    ]
    body = request([root, *queries], service=service)

    collector.send(body)
    collector.wait_for(lambda: collector.violations(service))
    collector.send(body)
    collector.send(body)
    collector.send(one_span(new_trace_id()))
    time.sleep(1)  # several ticks

    (entry,) = collector.entries(service)
    (violation,) = collector.violations(service)
    trace = collector.trace(trace_id)
    assert trace is not None
    assert (entry["spans"], entry["queries"], entry["findings"]) == (7, 6, 1)
    assert (violation["hits"], violation["count"]) == (1, 6)
    assert trace["total_spans"] == 7


@pytest.mark.parametrize("start_collector", EMBEDDED_FIRST, indirect=True)
def test_keys_are_asked_for(start_collector):
    """401 says how to send a key; the right one opens both doors."""
    collector = start_collector(
        HOTSPAN_INGEST_KEYS='["for-spans"]', HOTSPAN_API_KEYS='["for-people"]'
    )
    body = one_span(new_trace_id())

    refused = collector.post(body)
    wrong = collector.post(body, headers={"authorization": "Bearer for-people"})
    taken = collector.post(body, headers={"authorization": "Bearer for-spans"})

    assert [refused.status_code, wrong.status_code, taken.status_code] == [401, 401, 200]
    assert Status.FromString(refused.content).code == UNAUTHENTICATED
    assert "OTEL_EXPORTER_OTLP_HEADERS" in Status.FromString(refused.content).message
