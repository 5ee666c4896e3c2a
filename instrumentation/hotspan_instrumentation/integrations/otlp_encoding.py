"""The OTLP exporters of spans: our encoding in place of the SDK's, which is several times slower.

What ours cannot encode, the SDK's is given.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan

from hotspan_instrumentation.guard import guarded

Spans = Sequence[ReadableSpan]


class EncodedRequest:
    """A request that is bytes already; to the exporter it looks like protobuf's message."""

    __slots__ = ("_encoded",)

    def __init__(self, encoded: bytes) -> None:
        self._encoded = encoded

    def SerializePartialToString(self) -> bytes:  # noqa: N802 - protobuf's name
        return self._encoded

    SerializeToString = SerializePartialToString


def install_http(module: Any) -> None:  # noqa: ANN401 - a module
    """Encode what is sent over HTTP."""
    module.encode_spans = _encoding(module.encode_spans, EncodedRequest)


def install_grpc(module: Any) -> None:  # noqa: ANN401 - likewise
    """Encode what is sent over gRPC, which takes a message only; to parse one is cheap."""
    module.encode_spans = _encoding(module.encode_spans, ExportTraceServiceRequest.FromString)


def _encoding(original: Callable[[Spans], Any], request: Callable[[bytes], Any]) -> Any:  # noqa: ANN401
    from hotspan_instrumentation.otlp_encoding import (  # noqa: PLC0415 - now its imports are there
        encode_request,
    )

    @guarded
    def encode(spans: Spans) -> Any:  # noqa: ANN401
        return request(encode_request(spans))

    def encode_spans(spans: Spans) -> Any:  # noqa: ANN401 - protobuf's message
        return encode(spans) or original(spans)

    return encode_spans


HOOKS: Final = (
    ("opentelemetry.exporter.otlp.proto.http.trace_exporter", install_http),
    ("opentelemetry.exporter.otlp.proto.grpc.trace_exporter", install_grpc),
)
