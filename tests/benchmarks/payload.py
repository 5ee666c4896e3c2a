"""Requests that several collectors get alike: recorded ones, over and over, with fresh traces."""

import os
from dataclasses import dataclass
from typing import Self

from support import corpus

SPANS_PER_REQUEST = 512


@dataclass(frozen=True)
class Payload:
    """One request, and where in its bytes the ids of its traces stand."""

    body: bytes
    places: tuple[tuple[int, ...], ...]

    @classmethod
    def recorded(cls) -> Self:
        """Return the recorded requests, repeated until there are enough spans."""
        bodies: list[bytes] = []
        traces: list[bytes] = []
        left = SPANS_PER_REQUEST
        while left:
            for name in corpus.scenarios():
                for request in corpus.scenario(name):
                    if not left:
                        break
                    for resource in request.resource_spans:
                        for scope in resource.scope_spans:
                            del scope.spans[left:]
                            left -= len(scope.spans)
                    body = request.SerializeToString()
                    for trace_id in corpus.trace_ids([request]):
                        traces.append(os.urandom(16))
                        body = body.replace(bytes.fromhex(trace_id), traces[-1])
                    bodies.append(body)
        joined = b"".join(bodies)
        return cls(joined, tuple(_places(joined, trace_id) for trace_id in traces))

    def fresh(self) -> bytes:
        """Return it with traces that nobody has sent before."""
        body = bytearray(self.body)
        for places in self.places:
            trace_id = os.urandom(16)
            for place in places:
                body[place : place + 16] = trace_id
        return bytes(body)


def _places(body: bytes, trace_id: bytes) -> tuple[int, ...]:
    found = []
    place = body.find(trace_id)
    while place >= 0:
        found.append(place)
        place = body.find(trace_id, place + 16)
    return tuple(found)
