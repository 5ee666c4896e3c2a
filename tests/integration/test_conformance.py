"""The contract of OTLP, point by point, with the clients that people use.

What no client sends is sent as raw bytes. Each point of `CONTRACT` names the tests that prove it;
one without a test, or a test that is gone, fails.
"""

import importlib.util
import json
import subprocess
from pathlib import Path

import grpc
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult

from support.collector import EMBEDDED_FIRST, Collector
from support.otlp_requests import now_ns, request, span
from support.shop_traces import new_trace_id

ROOT = Path(__file__).parents[2]
EXPORTERS_JS = ROOT / ".tools" / "exporters_js" / "node_modules"
TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
DAY_NS = 86_400 * 10**9
MIB = 1024 * 1024

HTTP, GRPC, HERE = "test_otlp_http", "test_otlp_grpc", "test_conformance"
CONTRACT = {
    "none and gzip on both transports": [
        (HERE, "test_python_exporters"),
        (HERE, "test_javascript_exporters"),
    ],
    "a size limit after decompression, settable; RESOURCE_EXHAUSTED without RetryInfo, 413": [
        (HTTP, "test_too_large_is_refused_after_decompression"),
        (GRPC, "test_too_large_is_refused_after_decompression"),
    ],
    "answers are bounded": [(HERE, "test_answers_are_small")],
    "success leaves partial_success unset": [
        (HTTP, "test_success_says_nothing"),
        (GRPC, "test_success_says_nothing"),
    ],
    "rejections have a count and a message that says what to do, for each cause": [
        (HERE, "test_each_cause_of_a_rejection_is_told")
    ],
    "what may be tried again says when": [
        (GRPC, "test_a_full_queue_is_told_in_both_trailers"),
        ("test_durability", "test_without_a_spool_senders_keep_their_spans"),
        ("test_tls", "test_each_key_has_its_limit"),
    ],
    "what cannot be decoded is INVALID_ARGUMENT, 400": [
        (HTTP, "test_garbage_is_refused_for_good"),
        (GRPC, "test_garbage_is_refused_for_good"),
    ],
    "invalid UTF-8 is refused, and the refusal says where": [
        (HERE, "test_invalid_utf8_is_refused_with_its_place")
    ],
    "no other codes escape": [(HERE, "test_no_code_makes_clients_drop_spans_by_mistake")],
    "errors over HTTP carry google.rpc.Status in the request's encoding": [
        (HTTP, "test_garbage_is_refused_for_good"),
        (HTTP, "test_garbage_in_json_is_refused_in_json"),
    ],
    "JSON: hex ids of any case, integers for enums, unknown fields, 64 bit as text or number": [
        (HTTP, "test_spans_in_json_arrive")
    ],
    "other signals are answered with OK": [
        (HTTP, "test_other_signals_are_answered_and_discarded"),
        (GRPC, "test_other_signals_are_answered_and_discarded"),
    ],
    "keys are asked for": [(HTTP, "test_keys_are_asked_for"), (GRPC, "test_keys_are_asked_for")],
    "TLS and mTLS on both transports": [("test_tls", "test_who_may_send_over_tls")],
    "a request sent twice counts once": [(HTTP, "test_a_request_sent_twice_counts_once")],
    "what was sent can be read back": [("test_round_trip", "test_what_was_sent_comes_back")],
}


@pytest.mark.parametrize("point", CONTRACT)
def test_every_point_has_a_test(point):
    """The list does not name what is not there."""
    missing = [each for each in CONTRACT[point] if not hasattr(_module(each[0]), each[1])]

    assert CONTRACT[point]
    assert missing == []


def _module(name: str):
    spec = importlib.util.spec_from_file_location(
        f"listed_{name}", Path(__file__).with_name(f"{name}.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _python_exporter(collector: Collector, protocol: str, compression: str):
    if protocol == "grpc":
        return GrpcExporter(
            endpoint=collector.grpc_target,
            insecure=True,
            compression={"none": grpc.Compression.NoCompression, "gzip": grpc.Compression.Gzip}[
                compression
            ],
        )
    return HttpExporter(
        endpoint=f"{collector.http_url}/v1/traces", compression=Compression(compression)
    )


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_python_exporters(collector: Collector, service, protocol, compression):
    """The exporter says that it worked, and what it sent can be read."""
    exporter = _python_exporter(collector, protocol, compression)
    results: list[SpanExportResult] = []

    class Watched:
        def export(self, spans) -> SpanExportResult:
            results.append(exporter.export(spans))
            return results[-1]

        def shutdown(self) -> None:
            exporter.shutdown()

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            return exporter.force_flush(timeout_millis)

    provider = TracerProvider(resource=Resource({"service.name": service}))
    provider.add_span_processor(SimpleSpanProcessor(Watched()))
    with provider.get_tracer("test").start_as_current_span("outer") as outer:
        outer.set_attributes({"text": "grüße", "list": ["a", "b"]})
    provider.shutdown()

    trace = collector.trace(f"{outer.get_span_context().trace_id:032x}")

    assert results == [SpanExportResult.SUCCESS]
    assert trace is not None
    assert [each["name"] for each in trace["spans"]] == ["outer"]


@pytest.mark.parametrize("collector", EMBEDDED_FIRST, indirect=True, scope="session")
@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("kind", ["grpc", "http", "proto"])
def test_javascript_exporters(collector: Collector, service, kind, compression):
    """Over gRPC, in JSON, and in protobuf: what they send can be read."""
    url = f"http://{collector.grpc_target}" if kind == "grpc" else f"{collector.http_url}/v1/traces"
    script = ROOT / "tests" / "exporters_js" / "export.cjs"
    sent = subprocess.run(
        ["node", script, kind, url, compression, service],
        env={"NODE_PATH": str(EXPORTERS_JS), "PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert sent.returncode == 0, sent.stderr
    trace_id = sent.stdout.strip()
    trace = collector.trace(trace_id)
    assert trace is not None
    spans = {each["name"]: each for each in trace["spans"]}
    outer = collector.api(f"traces/{trace_id}/spans/{spans['outer']['span_id']}")

    assert spans.keys() == {"outer", "inner"}
    assert trace["services"] == [service]
    assert outer["attributes"] == {
        "text": "grüße",
        "number": 7,
        "ratio": 0.5,
        "yes": True,
        "list": ["a", "b"],
    }


def _one(**changes):
    values = {
        "trace_id": new_trace_id(),
        "span_id": "01" * 8,
        "start_ns": now_ns(),
        **changes,
    }
    return span("a", **values)


CAUSES = {
    "trace id": (_one(trace_id="00" * 16), "trace_id must be 16 bytes"),
    "span id": (_one(span_id="01" * 7), "span_id must be 8 bytes"),
    "no start": (_one(start_ns=0), "start_time_unix_nano is missing"),
    "no end": (_one(), "end_time_unix_nano is missing"),
    "reversed": (_one(duration_ms=-5_000), "HOTSPAN_REVERSED_TOLERANCE_MS"),
    "old": (_one(start_ns=now_ns() - 40 * DAY_NS), "HOTSPAN_RETENTION_DAYS"),
    "future": (_one(start_ns=now_ns() + DAY_NS), "HOTSPAN_FUTURE_TOLERANCE_S"),
}
CAUSES["no end"][0].end_time_unix_nano = 0


@pytest.mark.parametrize("collector", EMBEDDED_FIRST, indirect=True, scope="session")
@pytest.mark.parametrize(("bad", "words"), CAUSES.values(), ids=CAUSES.keys())
def test_each_cause_of_a_rejection_is_told(collector: Collector, bad, words):
    """The message says what to do, the good span is stored; the same over both transports."""
    good = [new_trace_id(), new_trace_id()]
    bodies = [request([_one(trace_id=trace_id), bad]) for trace_id in good]
    over_http = ExportTraceServiceResponse.FromString(collector.post(bodies[0]).content)
    with grpc.insecure_channel(collector.grpc_target) as channel:
        over_grpc = ExportTraceServiceResponse.FromString(
            channel.unary_unary(TRACES)(bodies[1], timeout=30)
        )

    for answer in (over_http, over_grpc):
        assert answer.partial_success.rejected_spans == 1
        assert words in answer.partial_success.error_message
    assert all(collector.trace(trace_id) for trace_id in good)


@pytest.mark.parametrize("start_collector", EMBEDDED_FIRST, indirect=True)
def test_an_attribute_that_is_too_large_is_told(start_collector):
    """Its span is left out; the others of the request are stored."""
    collector = start_collector()
    good = new_trace_id()
    large = _one(attributes={"text": "x" * (2 * MIB + 1)})

    answer = ExportTraceServiceResponse.FromString(
        collector.post(request([_one(trace_id=good), large])).content
    )

    assert answer.partial_success.rejected_spans == 1
    assert "HOTSPAN_MAX_ATTRIBUTE_BYTES" in answer.partial_success.error_message
    assert collector.trace(good)


def test_answers_are_small(collector: Collector):
    """Whatever is wrong with however many spans: clients read 4 MiB at most."""
    spans = [each for each, _ in CAUSES.values()] * 50
    answer = collector.post(request(spans))

    assert answer.status_code == 200
    assert len(answer.content) < 4_096


def test_invalid_utf8_is_refused_with_its_place(collector: Collector):
    """The refusal names the span and the attribute."""
    body = request([_one(), _one(attributes={"first": 1, "second": "abcdef"})])
    answer = collector.post(body.replace(b"abcdef", b"\xff\xfe\xfd\xfc\xfb\xfa"))

    assert answer.status_code == 400
    message = Status.FromString(answer.content).message
    assert "spans[1].attributes[1].value.string_value is not UTF-8" in message


def test_no_code_makes_clients_drop_spans_by_mistake(collector: Collector):
    """Only what can never be stored is refused for good; nothing is answered with 500."""
    bodies = {
        "empty": (b"", "application/x-protobuf"),
        "no object": (b"[[]]", "application/json"),
        "deep": (b"[" * 100_000, "application/json"),
        "numbers": (
            json.dumps({"resourceSpans": [{"scopeSpans": 5}]}).encode(),
            "application/json",
        ),
        "bytes": (bytes(range(256)), "application/x-protobuf"),
        "nothing known": (b"\x9a\x06\x00", "application/x-protobuf"),
    }
    statuses = {
        name: collector.post(body, content_type=kind).status_code
        for name, (body, kind) in bodies.items()
    }

    assert statuses == {
        "empty": 200,
        "no object": 400,
        "deep": 400,
        "numbers": 400,
        "bytes": 400,
        "nothing known": 200,
    }
