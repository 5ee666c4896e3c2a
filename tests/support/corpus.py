"""Recorded OTLP requests (tests/corpus), as if they had come just now."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from support.otlp_requests import MILLISECOND_NS, now_ns

_DIRECTORY = Path(__file__).parents[1] / "corpus"
_AGO_NS = 5_000 * MILLISECOND_NS


def scenario(pattern: str) -> list[ExportTraceServiceRequest]:
    """Return the requests of a scenario, the last of their spans ended five seconds ago.

    Args:
        pattern: of file names without the number: `celery-*__fails`.
    """
    paths = sorted(_DIRECTORY.glob(f"{pattern}__*.binpb"))
    requests = [ExportTraceServiceRequest.FromString(path.read_bytes()) for path in paths]
    if not requests:
        raise FileNotFoundError(f"no {pattern} in {_DIRECTORY}")
    _move(requests, now_ns() - _AGO_NS)
    return requests


def scenarios() -> list[str]:
    """Return the patterns of all scenarios."""
    return sorted({path.name.rsplit("__", 1)[0] for path in _DIRECTORY.glob("*.binpb")})


def spans_of(requests: Iterable[ExportTraceServiceRequest]) -> Iterator[Span]:
    """Yield the spans of requests."""
    for request in requests:
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                yield from scope.spans


def trace_ids(requests: Iterable[ExportTraceServiceRequest]) -> list[str]:
    """Return the traces of requests, as hex."""
    return sorted({span.trace_id.hex() for span in spans_of(requests)})


def _move(requests: Sequence[ExportTraceServiceRequest], end_ns: int) -> None:
    by_ns = end_ns - max(span.end_time_unix_nano for span in spans_of(requests))
    for span in spans_of(requests):
        span.start_time_unix_nano += by_ns
        span.end_time_unix_nano += by_ns
        for event in span.events:
            event.time_unix_nano += by_ns
