"""What a sender may do to a collector, by mistake or on purpose, and what must hold afterwards."""

import gzip
import json
import secrets
import time
from collections.abc import Iterator

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from support.collector import Collector
from support.otlp_requests import now_ns, request, span

# Each waits until the collector has evaluated what comes after the attack.
pytestmark = pytest.mark.slow

_SERVER = Span.SPAN_KIND_SERVER
_STRANGE = ("'", "\\", "' OR 1=1 --", "{x:String}", "\x00", "\t\n", "🙂" * 900)


@pytest.fixture(autouse=True)
def _goes_on(collector: Collector) -> Iterator[None]:
    """After each attack, what is sent is stored and evaluated as ever."""
    yield
    service = f"after-{secrets.token_hex(4)}"
    collector.send(request([_request_span()], service=service))

    assert collector.wait_for(lambda: collector.entries(service))


def test_spans_that_share_an_id_do_not_multiply(collector, service):
    """A process that was forked, or traffic that is played again: each counts once at most."""
    shared = {"trace_id": secrets.token_hex(16), "span_id": secrets.token_hex(8)}
    for number in range(12):
        collector.send(request([_request_span(**shared)], service=f"{service}-{number}"))
    services = [f"{service}-{number}" for number in range(12)]

    def found() -> list[dict]:
        return [entry for each in services for entry in collector.entries(each)]

    collector.wait_for(found)
    time.sleep(2)  # what came later may have made it another service's meanwhile

    assert [entry["spans"] for entry in found()] == [1]


def test_a_parent_may_be_anything(collector, service):
    """A span that is its own parent, a circle, a chain of thousands: none holds the others up."""
    trace = secrets.token_hex(16)
    ids = [secrets.token_hex(8) for _ in range(3_000)]
    circle = [
        _request_span(trace_id=trace, span_id=own, parent=above, kind=Span.SPAN_KIND_INTERNAL)
        for own, above in zip(ids[:3], (ids[1], ids[2], ids[0]), strict=True)
    ]
    own_parent = _request_span(span_id="aa" * 8, parent="aa" * 8)
    chain = secrets.token_hex(16)
    links = [
        _request_span(
            trace_id=chain,
            span_id=own,
            parent=above,
            kind=Span.SPAN_KIND_INTERNAL if above else _SERVER,
        )
        for own, above in zip(ids, ["", *ids], strict=False)
    ]
    collector.send(request([*circle, own_parent], service=service))
    for start in range(0, len(links), 1_000):
        collector.send(request(links[start : start + 1_000], service=service))
    sizes = collector.wait_for(
        lambda: sizes if (sizes := _sizes(collector, service))[-1:] == [3_000] else None
    )

    assert sizes == [1, 3_000]


def test_a_gzip_body_of_several_members_is_read_to_its_end(collector, service):
    """RFC 1952 allows it; what is not read would be acknowledged and lost."""
    body = b"".join(gzip.compress(request([_request_span()], service=service)) for _ in range(2))
    answer = collector.post(body, headers={"content-encoding": "gzip"})
    entries = collector.wait_for(lambda: collector.entries(service))

    assert (answer.status_code, len(entries)) == (200, 2)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (gzip.compress(bytes(300_000)), 413),
        (gzip.compress(b"") * 20_000, 413),
        (gzip.compress(b"") + bytes(100), 400),
        (gzip.compress(b"spans")[:-4], 400),
    ],
    ids=["bomb", "nothing, often", "rubbish behind it", "cut off"],
)
def test_gzip_is_read_no_further_than_allowed(collector, body, status):
    """Neither what comes nor what it becomes may be larger than HOTSPAN_MAX_REQUEST_BYTES."""
    answer = collector.post(body, headers={"content-encoding": "gzip"})

    assert answer.status_code == status


def test_bytes_that_are_no_text_do_not_spoil_a_trace(collector, service):
    """An attribute of bytes may stand where a statement, a file or a service's name does."""
    trace = secrets.token_hex(16)
    strange = _request_span(
        trace_id=trace,
        attributes={"db.statement": b"SELECT \xff", "code.file.path": b"\xfe.py"},
    )
    collector.send(request([strange], service=service, resource={"service.namespace": b"\xff\x00"}))
    answer = collector.get(f"traces/{trace}")

    assert json.loads(answer.content)["spans"][0]["statement"] == "SELECT �"


def test_names_may_hold_anything(collector, service):
    """Control characters, quotes, markup and a megabyte's tenth come back as they were sent."""
    names = ["a\x00b\x1b[31m\r\n\t", "'; DROP TABLE spans; --\\", "<script>", "", "n" * 100_000]
    collector.send(request([_request_span(name) for name in names], service=service))
    collector.wait_for(lambda: len(collector.entries(service)) == len(names))

    assert {entry["name"] for entry in collector.entries(service)} == set(names)


@pytest.mark.parametrize("parameter", ["service", "environment", "name", "attribute"])
def test_what_is_searched_for_is_a_value_never_sql(collector, parameter):
    """Nothing has such a name, and nothing else happens."""
    equals = "=x" if parameter == "attribute" else ""
    answers = [collector.get("traces", **{parameter: f"no-{each}{equals}"}) for each in _STRANGE]

    assert {(answer.status_code, answer.text) for answer in answers} == {
        (200, '{"traces":[],"next_cursor":null}')
    }


def _request_span(name: str = "GET orders/", **fields) -> Span:
    ids = {"trace_id": secrets.token_hex(16), "span_id": secrets.token_hex(8)}
    return span(name, **{**ids, "start_ns": now_ns() - 10_000_000, "kind": _SERVER, **fields})


def _sizes(collector: Collector, service: str) -> list[int]:
    return sorted(entry["spans"] for entry in collector.entries(service))
