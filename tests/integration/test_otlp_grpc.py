"""OTLP over gRPC, as SDKs and other senders speak it."""

import time
from collections.abc import Sequence

import grpc
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from support.collector import EMBEDDED_FIRST, Collector
from support.otlp_requests import request, span
from support.shop_traces import new_trace_id

SERVICES = "opentelemetry.proto.collector"
TRACES = f"/{SERVICES}.trace.v1.TraceService/Export"


def one_span(trace_id: str, **changes) -> bytes:
    values = {"trace_id": trace_id, "span_id": "01" * 8, "start_ns": time.time_ns(), **changes}
    return request([span("a", **values)])


def export(
    collector: Collector,
    body: bytes,
    *,
    method: str = TRACES,
    compression: grpc.Compression = grpc.Compression.NoCompression,
    metadata: Sequence[tuple[str, str]] = (),
) -> bytes:
    with grpc.insecure_channel(collector.grpc_target, compression=compression) as channel:
        return channel.unary_unary(method)(body, timeout=30, metadata=metadata)


def refusal(collector: Collector, body: bytes, **options) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as error:
        export(collector, body, **options)
    return error.value


@pytest.mark.parametrize(
    "compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip], ids=["none", "gzip"]
)
def test_spans_of_the_sdk_arrive(collector: Collector, service, compression):
    """What the SDK exports over gRPC can be read back over the API, compressed or not."""
    exporter = OTLPSpanExporter(
        endpoint=collector.grpc_target, insecure=True, compression=compression
    )
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


def test_success_says_nothing(collector: Collector):
    """An empty answer: all is stored."""
    assert export(collector, one_span(new_trace_id())) == b""


def test_an_empty_request_is_fine(collector: Collector):
    """SDKs send them at times."""
    assert export(collector, b"") == b""


def test_good_spans_of_a_bad_request_are_stored(collector: Collector):
    """Rejected spans are counted and explained; the others are there."""
    trace_id = new_trace_id()
    now = time.time_ns()
    spans = [
        span("good", trace_id=trace_id, span_id="01" * 8, start_ns=now),
        span("no id", trace_id=trace_id, span_id="", start_ns=now),
    ]

    answer = ExportTraceServiceResponse.FromString(export(collector, request(spans)))

    assert answer.partial_success.rejected_spans == 1
    assert "span_id must be 8 bytes" in answer.partial_success.error_message
    trace = collector.trace(trace_id)
    assert trace is not None
    assert [each["name"] for each in trace["spans"]] == ["good"]


@pytest.mark.parametrize(
    "body",
    [b"\xff\xff\xff", one_span("01" * 16).replace(b"shop", b"\xff\xfe\xfd\xfc")],
    ids=["no protobuf", "no UTF-8"],
)
def test_garbage_is_refused_for_good(collector: Collector, body):
    """INVALID_ARGUMENT, so that senders drop it and say why."""
    error = refusal(collector, body)

    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "UTF-8" in error.details()


@pytest.mark.parametrize(
    "compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip], ids=["plain", "gzip"]
)
def test_too_large_is_refused_after_decompression(collector: Collector, compression):
    """RESOURCE_EXHAUSTED without RetryInfo: trying again will not help."""
    body = one_span(new_trace_id(), attributes={"text": "x" * 200_001})

    error = refusal(collector, body, compression=compression)

    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert trailers(error).keys().isdisjoint({"google.rpc.retryinfo-bin"})


@pytest.mark.parametrize(
    "method",
    [
        f"/{SERVICES}.metrics.v1.MetricsService/Export",
        f"/{SERVICES}.logs.v1.LogsService/Export",
    ],
)
def test_other_signals_are_answered_and_discarded(collector: Collector, method):
    """Stock distributions send them; an error would fill their logs."""
    assert export(collector, b"", method=method) == b""


@pytest.mark.parametrize("start_collector", EMBEDDED_FIRST, indirect=True)
def test_keys_are_asked_for(start_collector):
    """UNAUTHENTICATED says how to send a key; the right one opens the door."""
    collector = start_collector(
        HOTSPAN_INGEST_KEYS='["for-spans"]', HOTSPAN_API_KEYS='["for-people"]'
    )
    body = one_span(new_trace_id())

    refused = refusal(collector, body)
    wrong = refusal(collector, body, metadata=[("authorization", "Bearer for-people")])

    assert refused.code() == wrong.code() == grpc.StatusCode.UNAUTHENTICATED
    assert "OTEL_EXPORTER_OTLP_HEADERS" in refused.details()
    assert export(collector, body, metadata=[("authorization", "Bearer for-spans")]) == b""


@pytest.mark.parametrize("start_collector", EMBEDDED_FIRST, indirect=True)
def test_a_full_queue_is_told_in_both_trailers(start_collector):
    """UNAVAILABLE with RetryInfo, for the standard and for Python's exporter."""
    collector = start_collector(HOTSPAN_COMMIT_QUEUE_BYTES="1024", HOTSPAN_COMMIT_MAX_BYTES="1024")
    body = one_span(new_trace_id(), attributes={"text": "x" * 2_000})

    error = refusal(collector, body)

    found = trailers(error)
    assert error.code() == grpc.StatusCode.UNAVAILABLE
    assert Status.FromString(found["grpc-status-details-bin"]).code == 14
    assert found["google.rpc.retryinfo-bin"]


def trailers(error: grpc.RpcError) -> dict[str, bytes]:
    return dict(error.trailing_metadata() or ())
