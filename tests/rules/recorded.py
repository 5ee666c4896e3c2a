"""The recorded corpus as cases: each trace once as it was, some at several durations of a query."""

import bisect
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from support.labels import Recording, Scenario, recordings, scenarios, trace_id_of
from support.otlp_requests import MILLISECOND_NS, now_ns

_AGO_NS = 3_600_000 * MILLISECOND_NS
_STATEMENT = {"db.query.text", "db.statement"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCase:
    """A scenario as it was recorded, or at another duration of its queries."""

    recording: Recording
    scenario: Scenario
    trace_id: str
    query_ms: float | None = None

    @property
    def name(self) -> str:
        speed = "" if self.query_ms is None else f", {self.query_ms} ms a query"
        return f"{self.scenario.name} in {self.recording.name}{speed}"


def recorded_cases(speeds_ms: Sequence[float]) -> tuple[Sequence[RecordedCase], bytes]:
    """Return all cases, and their spans as one serialized request."""
    cases: list[RecordedCase] = []
    bodies: list[bytes] = []
    for recording in recordings():
        request = ExportTraceServiceRequest.FromString(recording.body())
        asked = [each for each in scenarios() if each.is_in(recording)]
        _move(request)
        bodies.append(request.SerializeToString())
        cases += [
            RecordedCase(
                recording=recording,
                scenario=scenario,
                trace_id=trace_id_of(recording.name, scenario.name),
            )
            for scenario in asked
        ]
        for query_ms in speeds_ms:
            paced = {
                trace_id_of(recording.name, each.name): each for each in asked if each.at_speeds
            }
            names = {trace_id: f"{trace_id}/{query_ms}" for trace_id in paced}
            bodies.append(_paced(request, names, query_ms=query_ms).SerializeToString())
            cases += [
                RecordedCase(
                    recording=recording,
                    scenario=scenario,
                    trace_id=_renamed(names[trace_id]).hex(),
                    query_ms=query_ms,
                )
                for trace_id, scenario in paced.items()
            ]
    return cases, b"".join(bodies)


def _renamed(name: str) -> bytes:
    return blake2b(name.encode(), digest_size=16).digest()


def _spans(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            yield from scope.spans


def _move(request: ExportTraceServiceRequest) -> None:
    """Let all of it end an hour ago."""
    by_ns = now_ns() - _AGO_NS - max(span.end_time_unix_nano for span in _spans(request))
    for span in _spans(request):
        _retime(span, lambda time_ns: time_ns + by_ns)


def _retime(span: Span, moved) -> None:
    span.start_time_unix_nano = moved(span.start_time_unix_nano)
    span.end_time_unix_nano = moved(span.end_time_unix_nano)
    for event in span.events:
        event.time_unix_nano = moved(event.time_unix_nano)


def _paced(
    request: ExportTraceServiceRequest, names: Mapping[str, str], *, query_ms: float
) -> ExportTraceServiceRequest:
    """Return some traces, under other ids, as if each query had taken that long."""
    paced = ExportTraceServiceRequest()
    paced.CopyFrom(request)
    traces: dict[bytes, list[Span]] = defaultdict(list)
    for resource in paced.resource_spans:
        for scope in resource.scope_spans:
            kept = [span for span in scope.spans if span.trace_id.hex() in names]
            del scope.spans[:]
            scope.spans.extend(kept)
            for span in scope.spans:
                traces[span.trace_id].append(span)
    for trace_id, spans in traces.items():
        moved = _Pace(spans, query_ms=query_ms)
        for span in spans:
            _retime(span, moved)
            span.trace_id = _renamed(names[trace_id.hex()])
    return paced


class _Pace:
    """Moves times as if each statement of a trace had taken so long, and all else as ever."""

    def __init__(self, spans: Sequence[Span], *, query_ms: float) -> None:
        statements = sorted(
            (span.start_time_unix_nano, span.end_time_unix_nano)
            for span in spans
            if _STATEMENT & {each.key for each in span.attributes}
        )
        self._begins: list[int] = []
        self._known: list[tuple[int, float, int]] = []
        longer_ns = 0
        for begin_ns, end_ns in statements:
            if self._known and begin_ns < self._known[-1][0]:
                continue  # one within another
            took_ns = max(end_ns - begin_ns, 1)
            takes_ns = round(query_ms * MILLISECOND_NS)
            self._begins.append(begin_ns)
            self._known.append((end_ns, takes_ns / took_ns, longer_ns))
            longer_ns += takes_ns - took_ns

    def __call__(self, time_ns: int) -> int:
        number = bisect.bisect_right(self._begins, time_ns) - 1
        if number < 0:
            return time_ns
        begin_ns, (end_ns, stretch, longer_ns) = self._begins[number], self._known[number]
        within_ns = min(time_ns, end_ns) - begin_ns
        after_ns = max(time_ns - end_ns, 0)
        return begin_ns + longer_ns + round(within_ns * stretch) + after_ns
