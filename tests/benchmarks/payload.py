"""A request that several collectors get alike: recorded spans, each time with ids and times anew.

What is told again and again compresses to nothing: ids and times that never change would make a
table look small which keeps those of the same name together.
"""

from binascii import hexlify
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from support import corpus

SPANS_PER_REQUEST = 512
_LONGEST_SHIFT_NS = 60 * 10**9
# Two runs of the same code do not last equally long.
_JITTER = 0.2
# Tags of start_time_unix_nano and end_time_unix_nano, as fixed64.
_START_TAG, _END_TAG = b"\x39", b"\x41"

_Bytes = NDArray[np.uint8]
_Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class _Ids:
    """Ids of one length, and where they stand: as they are, and as hex in attributes."""

    count: int
    length: int
    places: _Numbers
    """Of each byte, a row for each occurrence."""
    numbers: _Numbers
    """Which id it is."""
    hex_places: _Numbers
    hex_numbers: _Numbers

    @classmethod
    def of(cls, body: bytes, ids: list[bytes]) -> Self:
        found = [(place, n) for n, each in enumerate(ids) for place in _places(body, each)]
        told = [
            (place, n) for n, each in enumerate(ids) for place in _places(body, each.hex().encode())
        ]
        length = len(ids[0])
        return cls(len(ids), length, *_rows(found, length), *_rows(told, 2 * length))

    def renew(self, body: _Bytes, chance: np.random.Generator) -> None:
        raw = chance.bytes(self.count * self.length)
        ids = np.frombuffer(raw, np.uint8).reshape(self.count, self.length)
        told = np.frombuffer(hexlify(raw), np.uint8).reshape(self.count, 2 * self.length)
        body[self.places] = ids[self.numbers]
        body[self.hex_places] = told[self.hex_numbers]


@dataclass(frozen=True)
class Payload:
    """One request, and where in its bytes ids and times stand."""

    body: bytes
    ids: tuple[_Ids, ...]
    start_places: _Numbers
    starts_ns: _Numbers
    end_places: _Numbers
    ends_ns: _Numbers

    @classmethod
    def recorded(cls) -> Self:
        """Return the recorded requests, repeated until there are enough spans."""
        bodies: list[bytes] = []
        traces: list[bytes] = []
        spans: list[bytes] = []
        chance = np.random.default_rng()
        times: list[tuple[int, int]] = []
        left = SPANS_PER_REQUEST
        while left:
            for name in corpus.scenarios():
                for request in corpus.scenario(name):
                    if not left:
                        break
                    left -= _keep_first(request, left)
                    own = list(corpus.spans_of([request]))
                    times += [(s.start_time_unix_nano, s.end_time_unix_nano) for s in own]
                    body = request.SerializeToString()
                    for old in sorted({span.span_id for span in own}):
                        spans.append(chance.bytes(8))
                        body = _replaced(body, old, spans[-1])
                    for old in sorted({span.trace_id for span in own}):
                        traces.append(chance.bytes(16))
                        body = _replaced(body, old, traces[-1])
                    bodies.append(body)
        joined = b"".join(bodies)
        start_places, starts_ns = _times(joined, _START_TAG, {start for start, _ in times})
        end_places, ends_ns = _times(joined, _END_TAG, {end for _, end in times})
        return cls(
            joined,
            (_Ids.of(joined, traces), _Ids.of(joined, spans)),
            *(start_places, starts_ns, end_places, ends_ns),
        )

    @property
    def bytes_per_span(self) -> int:
        """How long a span is, with its share of the rest of the request."""
        return len(self.body) // SPANS_PER_REQUEST

    def fresh(self) -> bytes:
        """Return it with traces that nobody has sent before, at other times."""
        chance = np.random.default_rng()
        body = np.frombuffer(self.body, np.uint8).copy()
        for ids in self.ids:
            ids.renew(body, chance)
        shift_ns = chance.integers(_LONGEST_SHIFT_NS)
        longest_ns = np.maximum(1, (self.ends_ns - self.starts_ns) * _JITTER).astype(np.int64)
        ends_ns = self.ends_ns - shift_ns
        starts_ns = self.starts_ns - shift_ns - chance.integers(longest_ns)
        body[self.start_places] = starts_ns.astype("<i8").view(np.uint8).reshape(-1, 8)
        body[self.end_places] = ends_ns.astype("<i8").view(np.uint8).reshape(-1, 8)
        return body.tobytes()


def _keep_first(request: ExportTraceServiceRequest, most: int) -> int:
    """Drop all but so many spans; return how many there are."""
    kept = 0
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            del scope.spans[most - kept :]
            kept += len(scope.spans)
    return kept


def _replaced(body: bytes, old: bytes, new: bytes) -> bytes:
    """Replace an id, also where an attribute tells it."""
    return body.replace(old, new).replace(old.hex().encode(), new.hex().encode())


def _times(body: bytes, tag: bytes, times_ns: set[int]) -> tuple[_Numbers, _Numbers]:
    """Return where times stand behind a tag, in the order of the body, and which they are."""
    found = sorted(
        (place + len(tag), time_ns)
        for time_ns in times_ns
        for place in _places(body, tag + time_ns.to_bytes(8, "little"))
    )
    return _rows(found, 8)


def _rows(found: list[tuple[int, int]], length: int) -> tuple[_Numbers, _Numbers]:
    starts = np.array([place for place, _ in found], np.int64).reshape(-1, 1)
    return starts + np.arange(length), np.array([value for _, value in found], np.int64)


def _places(body: bytes, part: bytes) -> list[int]:
    found = []
    place = body.find(part)
    while place >= 0:
        found.append(place)
        place = body.find(part, place + len(part))
    return found
