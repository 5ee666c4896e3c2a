"""What a sender may do, by mistake or on purpose: the collector stays small, and goes on."""

import random
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from support import corpus
from support.collector import Collector
from support.otlp_requests import request, span
from support.shop_traces import new_trace_id
from support.traffic import lost, part

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
MIB = 1024 * 1024
# Most of it is the engine's, for a trace of a million entries: it is evaluated at once, in 1.7 GiB.
MOST_MEMORY_BYTES = 2048 * MIB


@pytest.fixture(scope="module")
def collector(tmp_path_factory) -> Iterator[Collector]:
    env = {"HOTSPAN_RECEIVE_TIMEOUT_S": "2"}
    collector = Collector(tmp_path_factory.mktemp("collector"), env=env)
    collector.start()
    yield collector
    assert collector.stop() == 0


@pytest.fixture(autouse=True)
def _goes_on(collector: Collector) -> Iterator[None]:
    """After each attack the same process takes spans as ever, and has not grown much."""
    pid = collector.process.pid
    yield
    trace_id = new_trace_id()
    collector.send(part(trace_id, 0))

    assert lost(collector, [(trace_id, 0)]) == []
    assert collector.process.pid == pid
    assert most_memory_bytes(collector) < MOST_MEMORY_BYTES


def most_memory_bytes(collector: Collector) -> int:
    """Return the most that the process ever had in memory."""
    status = Path(f"/proc/{collector.process.pid}/status").read_text(encoding="utf-8")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def test_a_gzip_bomb_over_grpc(collector: Collector):
    """300 MiB that come as 300 KiB are refused, not unpacked."""
    options = [("grpc.max_send_message_length", -1)]
    target, gzip = collector.grpc_target, grpc.Compression.Gzip
    with (
        grpc.insecure_channel(target, compression=gzip, options=options) as channel,
        pytest.raises(grpc.RpcError) as refused,
    ):
        channel.unary_unary(TRACES)(bytes(300 * MIB), timeout=60)

    assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_many_large_requests_at_once(collector: Collector):
    """What does not fit into memory is refused for now; the rest is stored."""
    large = request(
        [
            span(
                "a",
                trace_id=new_trace_id(),
                span_id=f"{number + 1:016x}",
                start_ns=time.time_ns(),
                attributes={"text": "x" * 900_000},
            )
            for number in range(30)
        ]
    )
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(collector.post(large).status_code))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(statuses) <= {200, 503}
    assert 200 in statuses


def test_garbage(collector: Collector, often):
    """Whatever comes is answered with 200, 400 or 413: nothing else, and no silence."""
    source = random.Random(7)
    recorded = [
        each.SerializeToString() for each in corpus.scenario("gunicorn-prefork-pg-default__orders")
    ]
    statuses = set()
    with httpx.Client(trust_env=False, timeout=60) as client:
        for number in range(often(80, 10_000)):
            body = _damaged(source, source.choice(recorded))
            kind = ("application/x-protobuf", "application/json")[number % 5 == 0]
            headers = {"content-type": kind}
            if number % 7 == 0:
                headers["content-encoding"] = "gzip"
            url = f"{collector.http_url}/v1/traces"
            statuses.add(client.post(url, content=body, headers=headers).status_code)

    assert statuses <= {200, 400, 413}
    assert 400 in statuses


def _damaged(source: random.Random, body: bytes) -> bytes:
    damaged = bytearray(body)
    for _ in range(source.randrange(1, 6)):
        match source.randrange(4):
            case 0:
                damaged[source.randrange(len(damaged))] = source.randrange(256)
            case 1:
                del damaged[max(1, source.randrange(len(damaged))) :]
            case 2:
                at = source.randrange(len(damaged))
                damaged[at:at] = source.randbytes(source.randrange(1, 20))
            case _:
                damaged = bytearray(source.randbytes(source.randrange(1, 2_000)))
    return bytes(damaged)


HEADS = {
    "silent": b"",
    "endless head": b"POST /v1/traces HTTP/1.1\r\nHost: a\r\n",
    "endless body": (
        b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\n"
        b"Content-Length: 100\r\n\r\nx"
    ),
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
def test_slow_senders_are_sent_away(collector: Collector, head):
    """Connections on which nothing comes do not stay: they would keep others out."""
    address = ("127.0.0.1", collector.http_port)
    slow = [socket.create_connection(address, timeout=30) for _ in range(50)]
    for each in slow:
        each.sendall(head)
    quick = collector.post(part(new_trace_id(), 0))
    answers = [_last_words(each) for each in slow]

    assert quick.status_code == 200
    assert set(answers) <= {b"", b"HTTP/1.1 503 Service Unavailable"}


def _last_words(connection: socket.socket) -> bytes:
    """Return the first line of what comes until the other side closes, or has answered."""
    with connection:
        try:
            return connection.recv(4096).partition(b"\r\n")[0]
        except ConnectionResetError:
            return b""


def test_a_thousand_connections(collector: Collector):
    """They are all answered."""
    address = ("127.0.0.1", collector.http_port)
    body = part(new_trace_id(), 0)
    head = (
        "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    connections = [socket.create_connection(address, timeout=60) for _ in range(1_000)]
    for each in connections:
        each.sendall(head.encode() + body)
    answers = [_last_words(each) for each in connections]

    assert set(answers) <= {b"HTTP/1.1 200 OK", b"HTTP/1.1 503 Service Unavailable"}
    assert answers.count(b"HTTP/1.1 200 OK") > 900


def test_clocks_that_are_wrong(collector: Collector):
    """Each span is stored or rejected with a reason, whatever its times."""
    now = time.time_ns()
    times = [0, 1, now - 10**18, now - 10**15, now, now + 10**12, now + 10**18, 2**63, 2**64 - 1]
    spans = [
        Span(
            trace_id=secrets.token_bytes(16),
            span_id=secrets.token_bytes(8),
            start_time_unix_nano=start,
            end_time_unix_nano=end,
        )
        for start in times
        for end in times
    ]
    answer = collector.post(request(spans, service="clocks"))
    (found,) = (s for s in collector.api("ingest")["services"] if s["service"] == "clocks")

    assert answer.status_code == 200
    assert found["received"] == len(spans)
    assert found["stored"] + sum(found["rejected"].values()) == len(spans)
    assert found["rejected"].keys() == {"start", "end", "old", "future", "reversed"}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_trace_of_a_million_spans(collector: Collector, often):
    """It is stored like any other; the API shows as much of it as it may."""
    trace_id = new_trace_id()
    requests = often(10, 100)
    for number in range(requests):
        first = number * 10_000 + 1
        now = time.time_ns()
        spans = [
            span("a", trace_id=trace_id, span_id=f"{each:016x}", start_ns=now)
            for each in range(first, first + 10_000)
        ]
        collector.send(request(spans, service="million"))
    (found,) = (s for s in collector.api("ingest")["services"] if s["service"] == "million")
    trace = collector.trace(trace_id)

    assert found["stored"] == requests * 10_000
    assert trace is not None
    assert len(trace["spans"]) <= 50_000
