"""Acknowledged means stored: killed, stopped, and with the store away."""

import itertools
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

import grpc
import httpx
import pytest
from google.rpc.status_pb2 import Status

from support.clickhouse_server import ClickhouseServer
from support.collector import Collector
from support.otlp_requests import request, span
from support.processes import ProcessError
from support.shop_traces import new_trace_id

SPANS_PER_REQUEST = 20
REQUESTS_PER_TRACE = 50
UNAVAILABLE = 14
TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@dataclass
class Traffic:
    """Clients that send until they are told to stop, and remember what was acknowledged."""

    collector: Collector
    acknowledged: list[tuple[str, int]] = field(default_factory=list)
    """Trace and number of each request."""
    _stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._threads = [threading.Thread(target=self._send) for _ in range(4)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, requests: int) -> None:
        """Wait until so many more requests were acknowledged."""
        wanted = len(self.acknowledged) + requests
        self.collector.wait_for(lambda: len(self.acknowledged) >= wanted)

    def _send(self) -> None:
        with httpx.Client(trust_env=False, timeout=30) as client:
            for number in itertools.count():
                if self._stopping.is_set():
                    return
                if number % REQUESTS_PER_TRACE == 0:
                    trace_id = new_trace_id()
                if self._is_taken(client, part(trace_id, number)):
                    self.acknowledged.append((trace_id, number))
                else:
                    time.sleep(0.05)

    def _is_taken(self, client: httpx.Client, body: bytes) -> bool:
        url = f"{self.collector.http_url}/v1/traces"
        try:
            answer = client.post(
                url, content=body, headers={"content-type": "application/x-protobuf"}
            )
        except httpx.TransportError:
            return False
        return (answer.status_code, answer.content) == (200, b"")


def span_ids(number: int) -> list[str]:
    first = number * SPANS_PER_REQUEST + 1
    return [f"{each:016x}" for each in range(first, first + SPANS_PER_REQUEST)]


def part(trace_id: str, number: int) -> bytes:
    """Return one request's share of a trace."""
    started = time.time_ns()
    return request(
        [
            span("GET", trace_id=trace_id, span_id=span_id, start_ns=started, kind=3)
            for span_id in span_ids(number)
        ]
    )


def lost(collector: Collector, acknowledged: Sequence[tuple[str, int]]) -> list[tuple[str, str]]:
    """Return the spans that were acknowledged and are not there."""
    stored: dict[str, set[str]] = {}
    for trace_id in {trace_id for trace_id, _ in acknowledged}:
        trace = collector.trace(trace_id) or {"spans": []}
        stored[trace_id] = {each["span_id"] for each in trace["spans"]}
    return [
        (trace_id, span_id)
        for trace_id, number in acknowledged
        for span_id in span_ids(number)
        if span_id not in stored[trace_id]
    ]


def kill_and_look(collector: Collector, *, rounds: int, requests: int) -> list[str]:
    with Traffic(collector) as traffic:
        for _ in range(rounds):
            traffic.wait_for(requests)
            collector.kill()
            collector.start()
    return lost(collector, traffic.acknowledged)


def test_a_killed_collector_has_what_it_acknowledged(start_collector, service):
    """SIGKILL in the middle of traffic loses no acknowledged span, and no evaluation of one."""
    collector = start_collector(HOTSPAN_SETTLE_S="8")
    root = span("GET /", trace_id=new_trace_id(), span_id="01" * 8, start_ns=time.time_ns(), kind=2)
    collector.send(request([root], service=service))

    missing = kill_and_look(collector, rounds=3, requests=30)

    assert missing == []
    (entry,) = collector.wait_for(lambda: collector.entries(service))
    assert entry["name"] == "GET /"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_collector_killed_often_has_what_it_acknowledged(start_collector):
    """The same, fifteen times over, on the same data."""
    assert kill_and_look(start_collector(), rounds=15, requests=60) == []


def test_a_stopped_collector_commits_what_it_has_taken(start_collector):
    """SIGTERM in the middle of traffic: what waits is stored, and the exit is clean."""
    collector = start_collector(HOTSPAN_COMMIT_LINGER_MS="1000")
    with Traffic(collector) as traffic:
        traffic.wait_for(4)
        time.sleep(0.5)  # the next requests wait for company now
        before = len(traffic.acknowledged)

        assert collector.stop() == 0

    assert len(traffic.acknowledged) > before
    collector.start()
    assert lost(collector, traffic.acknowledged) == []


@pytest.mark.parametrize("door", ["grpc", "http", "api"])
def test_a_taken_port_is_told(tmp_path, door):
    """Exit status 1, and a message that names the port and the option."""
    collector = Collector(tmp_path)
    port = getattr(collector, f"{door}_port")
    with socket.create_server(("127.0.0.1", port)), pytest.raises(ProcessError):
        collector.start()

    assert collector.process.returncode == 1
    assert f"127.0.0.1:{port}: the port is taken" in collector.process.output()
    assert f"--{door}-port" in collector.process.output()


def test_a_data_directory_has_one_owner(tmp_path):
    """Exit status 1, and a message that names the owner; the owner is not harmed."""
    owner, second = Collector(tmp_path / "owner"), Collector(tmp_path / "second")
    second.process.command[3] = str(owner.data_dir)
    owner.start()
    try:
        with pytest.raises(ProcessError):
            second.start()

        output = second.process.output()
        assert second.process.returncode == 1
        assert f"belongs to another collector (process {owner.process.pid})" in output
        assert "--data-dir" in output
        owner.send(part(new_trace_id(), 0))
    finally:
        assert owner.stop() == 0


@pytest.fixture(scope="module")
def on_a_server(tmp_path_factory) -> Iterator[tuple[Collector, ClickhouseServer]]:
    """A collector without a spool, and a server that may be taken down: bring it up again."""
    server = ClickhouseServer(tmp_path_factory.mktemp("clickhouse"))
    try:
        server.start()
        store = server.create_database("hotspan")
        env = {"HOTSPAN_SPOOL_MAX_BYTES": "0"}
        collector = Collector(tmp_path_factory.mktemp("collector"), store=store, env=env)
        collector.start()
        yield collector, server
        collector.stop()
    finally:
        server.stop()


def test_without_a_spool_senders_keep_their_spans(on_a_server, service):
    """Both doors say: not now, try again in two seconds. When it is back, so is the collector."""
    collector, server = on_a_server
    before, after = new_trace_id(), new_trace_id()
    collector.send(part(before, 0))

    server.stop()
    over_http = collector.post(part(after, 0))
    over_grpc = export_refused(collector, part(after, 0))
    server.start()

    assert over_http.status_code == 503
    assert over_http.headers["retry-after"] == "2"
    assert Status.FromString(over_http.content).code == UNAVAILABLE
    trailers = dict(over_grpc.trailing_metadata())
    assert over_grpc.code() == grpc.StatusCode.UNAVAILABLE
    assert Status.FromString(trailers["grpc-status-details-bin"]).details
    assert trailers["google.rpc.retryinfo-bin"]
    collector.wait_for(lambda: collector.post(part(after, 0)).status_code == 200)
    assert lost(collector, [(before, 0), (after, 0)]) == []
    root = span("back", trace_id=new_trace_id(), span_id="01" * 8, start_ns=time.time_ns(), kind=2)
    collector.send(request([root], service=service))
    (entry,) = collector.wait_for(lambda: collector.entries(service))
    assert entry["name"] == "back"


def test_a_killed_server_has_what_was_acknowledged(on_a_server):
    """The server crashes in the middle of traffic, and nothing acknowledged is missing."""
    collector, server = on_a_server
    with Traffic(collector) as traffic:
        traffic.wait_for(30)
        server.kill()
        server.start()
        traffic.wait_for(30)

    assert lost(collector, traffic.acknowledged) == []


def export_refused(collector: Collector, body: bytes) -> grpc.RpcError:
    with (
        grpc.insecure_channel(collector.grpc_target) as channel,
        pytest.raises(grpc.RpcError) as error,
    ):
        channel.unary_unary(TRACES)(body, timeout=30)
    return error.value
