"""A collector that is down, silent or refusing: who is instrumented does not notice."""

import logging
import signal
import socketserver
import threading

import httpx
import pytest

from hotspan_instrumentation import export_logging
from hotspan_instrumentation.export_logging import OnceAMinute
from support.processes import free_port
from support.span_attributes import attributes

QUEUE = 50
REQUESTS = 200
ENV = {
    "OTEL_BSP_SCHEDULE_DELAY": "50",
    "OTEL_BSP_MAX_QUEUE_SIZE": str(QUEUE),
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "10",
    # The exporter must not give up by itself while many requests are sent.
    "OTEL_EXPORTER_OTLP_TIMEOUT": "120",
}


@pytest.fixture
def ask(bookshop):
    """Start a server of one process, and ask it."""

    def start(**env):
        server, url = bookshop.gunicorn("--workers", "1", env=ENV | env)

        def ask(times: int) -> None:
            with httpx.Client(trust_env=False, timeout=30) as client:
                for _ in range(times):
                    client.get(f"{url}/process/").raise_for_status()

        return server, ask

    return start


def _told(sink) -> tuple[int, int]:
    """How many requests' spans have arrived, and how many they say were dropped."""
    entries = sink.spans("GET process/")
    dropped = sum(int(attributes(span).get("hotspan.spans_dropped", 0)) for span in entries)
    return len(entries), dropped


def test_silent_collector(ask, sink):
    """Requests are answered while a collector is silent; what a bounded queue drops is counted."""
    server, ask = ask()
    sink.wait_for("GET process/")
    sink.hold()
    ask(REQUESTS)
    waiting = sink.waiting
    sink.release()
    ask(1)
    server.signal(signal.SIGTERM)
    server.wait()

    arrived, dropped = _told(sink)
    assert waiting == 1
    assert arrived + dropped == 1 + REQUESTS + 1
    assert dropped >= REQUESTS - QUEUE - 10  # the queue, and the batch that was on its way


@pytest.mark.slow
def test_refusing_collector(ask, sink):
    """What a collector refuses is counted, and told by the next that it takes."""
    server, ask = ask()
    sink.wait_for("GET process/")
    sink.status = 400
    refused_before = len(sink.paths)
    ask(30)
    while len(sink.paths) < refused_before + 3:
        ask(1)
    sink.status = 200
    ask(QUEUE)  # by then, what was refused has been counted
    server.signal(signal.SIGTERM)
    server.wait()

    _, dropped = _told(sink)
    assert dropped >= 3
    assert server.output().count("Spans do not reach the collector") == 1
    assert server.output().count("Failed to export") == 1


class _NoHttp(socketserver.StreamRequestHandler):
    """Answers as a server of another protocol does."""

    def handle(self) -> None:
        self.rfile.readline()
        self.wfile.write(b"-ERR unknown command 'POST'\r\n")


@pytest.fixture
def wrong_port(request, sink):
    """A port where there is no collector."""
    if request.param == "nobody":
        yield free_port()
    elif request.param == "a website":
        sink.status = 404
        yield int(sink.url.rpartition(":")[2])
    else:
        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _NoHttp) as server:
            threading.Thread(target=server.serve_forever, args=(0.05,)).start()
            yield server.server_address[1]
            server.shutdown()


@pytest.mark.parametrize(
    ("wrong_port", "cause"),
    [
        ("nobody", "Connection refused"),
        pytest.param("a website", "404", marks=pytest.mark.slow),
        pytest.param("another protocol", "-ERR unknown command", marks=pytest.mark.slow),
    ],
    indirect=["wrong_port"],
)
def test_wrong_collector(ask, wrong_port, cause):
    """Nobody listens, or somebody else: requests are answered, and one line says what to do."""
    endpoint = f"http://me:hunter2@127.0.0.1:{wrong_port}"
    server, ask = ask(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
    ask(REQUESTS)
    server.wait_for_line(f"Spans do not reach the collector .*{cause}")
    ask(REQUESTS)
    server.signal(signal.SIGTERM)

    assert server.wait() == 0
    assert server.output().count("Spans do not reach the collector") == 1
    assert "hotspan serve" in server.output()
    assert "Queue full" not in server.output()
    assert "hunter2" not in server.output()


def test_one_line_a_minute(monkeypatch):
    """The first message of a minute passes, in our words; others wait for the next one."""
    now_s = [1000.0]
    monkeypatch.setattr(export_logging.time, "monotonic", lambda: now_s[0])
    once = OnceAMinute()

    def passes(after_s: float, level: int = logging.WARNING) -> str | None:
        now_s[0] += after_s
        record = logging.LogRecord("theirs", level, "", 0, "refused %s", ("here",), None)
        return record.getMessage() if once.filter(record) else None

    first, second, third = passes(0), passes(59), passes(1)
    assert first is not None
    assert first.startswith("Spans do not reach the collector (refused here)")
    assert second is None
    assert third == first
    assert passes(0, logging.INFO) == "refused here"
