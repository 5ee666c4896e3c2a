"""What became of every span, for people, for Prometheus, and for a monitor elsewhere."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from hotspan_collector.ingest.quarantine import Quarantine
from support.collector import Collector
from support.otlp_requests import request, span
from support.shop_traces import new_trace_id


class Monitor:
    """Counts the beats that reach it."""

    def __init__(self) -> None:
        monitor = self
        self.beats = 0

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                monitor.beats += 1
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/ping"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture(scope="module")
def monitor() -> Iterator[Monitor]:
    monitor = Monitor()
    yield monitor
    monitor.stop()


@pytest.fixture(scope="module")
def collector(tmp_path_factory, monitor: Monitor) -> Iterator[Collector]:
    env = {"HOTSPAN_HEARTBEAT_URL": monitor.url, "HOTSPAN_HEARTBEAT_EVERY_S": "0.5"}
    collector = Collector(tmp_path_factory.mktemp("ledger"), env=env)
    collector.start()
    yield collector
    assert collector.stop() == 0


def spans(count: int, *, span_id: str = "", days_old: int = 0):
    start = time.time_ns() - days_old * 86_400 * 10**9
    return [
        span(
            "a",
            trace_id=new_trace_id(),
            span_id=span_id or f"{number + 1:016x}",
            start_ns=start,
        )
        for number in range(count)
    ]


def metrics(collector: Collector) -> dict[tuple, float]:
    url = f"http://127.0.0.1:{collector.api_port}/metrics"
    answer = httpx.get(url, trust_env=False, timeout=30)
    answer.raise_for_status()
    return {
        (sample.name, *(sample.labels[name] for name in ("service", "reason") if name in labels)): (
            sample.value
        )
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if (labels := sample.labels) is not None
    }


def test_every_span_is_accounted_for(collector: Collector, service):
    """Received = stored + rejected + dropped + pending, by service, in API and metrics."""
    mixed = spans(5) + spans(2, span_id="00" * 8) + spans(3, days_old=40)
    collector.post(request(mixed, service=service) + request(spans(4), service=f"{service}-b"))

    found = {each["service"]: each for each in collector.api("ingest")["services"]}
    measured = metrics(collector)

    assert found[service] == {
        "service": service,
        "received": 10,
        "stored": 5,
        "rejected": {"span_id": 2, "old": 3},
        "dropped": {},
        "pending": 0,
    }
    assert found[f"{service}-b"]["stored"] == found[f"{service}-b"]["received"] == 4
    assert measured["hotspan_spans_received_total", service] == 10
    assert measured["hotspan_spans_stored_total", service] == 5
    assert measured["hotspan_spans_rejected_total", service, "old"] == 3
    assert measured["hotspan_spans_pending", service] == 0
    assert measured[("hotspan_store_up",)] == 1
    assert measured[("process_resident_memory_bytes",)] > 0


def test_quarantined_spans_can_be_listed_and_stored(collector: Collector, service):
    """Whoever made the store take them again replays them with one command."""
    trace_id = new_trace_id()
    body = request(
        [span("a", trace_id=trace_id, span_id="01" * 8, start_ns=time.time_ns())], service=service
    )
    quarantine = Quarantine(collector.data_dir / "quarantine", max_bytes=10**6)
    quarantine.keep(body, service=service, spans=1, message="CANNOT_PARSE: the reason")

    doctor = hotspan(collector, "doctor", "--otlp-url", collector.http_url)
    listed = hotspan(collector, "quarantine")
    replayed = hotspan(collector, "quarantine", "--replay")
    empty = hotspan(collector, "quarantine")

    assert "hotspan quarantine" in doctor.stdout
    assert service in listed.stdout
    assert "the reason" in " ".join(listed.stdout.split())
    assert (replayed.returncode, replayed.stdout) == (0, "1 spans stored, 0 refused again.\n")
    assert "empty" in empty.stdout
    assert collector.trace(trace_id) is not None


def test_a_monitor_elsewhere_hears_that_all_is_well(collector: Collector, monitor: Monitor):
    """The beat stops with the collector, and when it cannot store: the monitor misses it."""
    before = monitor.beats

    assert collector.wait_for(lambda: monitor.beats > before + 1)


def test_metrics_ask_for_the_key_of_the_api(tmp_path: Path):
    """They name services."""
    collector = Collector(tmp_path, env={"HOTSPAN_API_KEYS": '["for-people"]'})
    collector.start()
    url = f"http://127.0.0.1:{collector.api_port}/metrics"
    try:
        refused = httpx.get(url, trust_env=False, timeout=30)
        allowed = httpx.get(
            url, headers={"Authorization": "Bearer for-people"}, trust_env=False, timeout=30
        )
    finally:
        collector.stop()

    assert (refused.status_code, allowed.status_code) == (401, 200)


def hotspan(collector: Collector, *arguments: str) -> subprocess.CompletedProcess:
    command = Path(sys.executable).with_name("hotspan")
    env = {"HOTSPAN_API_URL": f"http://127.0.0.1:{collector.api_port}", "COLUMNS": "140"}
    return subprocess.run(
        [command, *arguments], env=env, capture_output=True, text=True, check=False, timeout=60
    )
