"""Exceptions that come as logs become exceptions of their span; other logs are discarded."""

import base64
import json
import time

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs

from support.collector import Collector
from support.otlp_requests import key_values, request, span
from support.shop_traces import new_trace_id

LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
RAISED = {
    "exception.type": "IntegrityError",
    "exception.message": "Key (email)=(somebody@example.com) already exists.",
    "exception.stacktrace": "Traceback (most recent call last): …",
}


def logs(trace_id: str, *records: dict[str, object], at_ns: int = 0) -> bytes:
    return ExportLogsServiceRequest(
        resource_logs=[
            ResourceLogs(
                scope_logs=[
                    ScopeLogs(
                        log_records=[
                            LogRecord(
                                time_unix_nano=at_ns or time.time_ns(),
                                trace_id=bytes.fromhex(trace_id),
                                span_id=bytes.fromhex("01" * 8),
                                body=AnyValue(string_value="it failed"),
                                attributes=key_values(record),
                            )
                            for record in records
                        ]
                    )
                ]
            )
        ]
    ).SerializeToString()


def send(collector: Collector, body: bytes, how: str) -> None:
    if how == "grpc":
        with grpc.insecure_channel(collector.grpc_target) as channel:
            assert channel.unary_unary(LOGS)(body, timeout=30) == b""
        return
    kind = "application/json" if how == "json" else "application/x-protobuf"
    content = body if how == "protobuf" else _json(body)
    answer = collector.post(content, path="/v1/logs", content_type=kind)
    assert (answer.status_code, answer.content) == (200, b"{}" if how == "json" else b"")


def _json(body: bytes) -> bytes:
    (record,) = ExportLogsServiceRequest.FromString(body).resource_logs[0].scope_logs[0].log_records
    attributes = [
        {"key": each.key, "value": {"stringValue": each.value.string_value}}
        for each in record.attributes
    ]
    log = {
        "timeUnixNano": str(record.time_unix_nano),
        "traceId": record.trace_id.hex(),
        "spanId": record.span_id.hex(),
        "attributes": attributes,
    }
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [log]}]}]}).encode()


@pytest.mark.parametrize("how", ["grpc", "protobuf", "json"])
def test_an_exception_that_was_logged_is_one_of_its_span(collector: Collector, how):
    """The API shows it among the events of the span, without the values of its text."""
    trace_id = new_trace_id()
    sent = span("a", trace_id=trace_id, span_id="01" * 8, start_ns=time.time_ns())
    send(collector, logs(trace_id, RAISED), how)
    collector.send(request([sent]))

    found = collector.api(f"traces/{trace_id}/spans/{'01' * 8}")

    (event,) = found["events"]
    assert event["name"] == "exception"
    assert event["attributes"] == {
        **RAISED,
        "exception.message": "Key (email)=(?) already exists.",
    }


def test_other_logs_are_discarded(collector: Collector):
    """Logs without an exception, or of another age."""
    trace_id = new_trace_id()
    sent = span("a", trace_id=trace_id, span_id="01" * 8, start_ns=time.time_ns())
    send(collector, logs(trace_id, {"exception.escaped": "yes"}, {"level": "info"}), "protobuf")
    send(collector, logs(trace_id, RAISED, at_ns=1), "protobuf")
    collector.send(request([sent]))

    assert collector.api(f"traces/{trace_id}/spans/{'01' * 8}")["events"] == []


def test_logs_that_are_none_are_refused(collector: Collector):
    """As spans that are none."""
    body = b"\x0a\x20exception." + base64.b64encode(b"rubbish")

    assert collector.post(body, path="/v1/logs").status_code == 400
