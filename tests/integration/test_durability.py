"""Acknowledged means stored: killed, stopped, and with the store away."""

import socket
import time
from collections.abc import Iterator

import grpc
import pytest
from google.rpc.status_pb2 import Status

from support.clickhouse_server import ClickhouseServer
from support.collector import EMBEDDED_FIRST, Collector
from support.otlp_requests import request, span
from support.processes import ProcessError
from support.shop_traces import new_trace_id
from support.traffic import Traffic, kill_and_look, lost, part

UNAVAILABLE = 14
TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@pytest.mark.parametrize("start_collector", EMBEDDED_FIRST, indirect=True)
def test_a_killed_collector_has_what_it_acknowledged(start_collector, service):
    """SIGKILL in the middle of traffic loses no acknowledged span, and no evaluation of one."""
    collector = start_collector(HOTSPAN_SETTLE_S="5")
    root = span("GET /", trace_id=new_trace_id(), span_id="01" * 8, start_ns=time.time_ns(), kind=2)
    collector.send(request([root], service=service))

    missing = kill_and_look(collector, rounds=2, requests=12)

    assert missing == []
    (entry,) = collector.wait_for(lambda: collector.entries(service))
    assert entry["name"] == "GET /"


@pytest.mark.parametrize("start_collector", EMBEDDED_FIRST, indirect=True)
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
        traffic.wait_for(12)
        server.kill()
        server.start()
        traffic.wait_for(12)

    assert lost(collector, traffic.acknowledged) == []


def export_refused(collector: Collector, body: bytes) -> grpc.RpcError:
    with (
        grpc.insecure_channel(collector.grpc_target) as channel,
        pytest.raises(grpc.RpcError) as error,
    ):
        channel.unary_unary(TRACES)(body, timeout=30)
    return error.value
