"""The demo shop as real processes that export to a sink, and the traces they leave."""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from support.otlp_sink import OtlpSink
from support.processes import Process, free_port

SHOP = Path(__file__).parents[2] / "deploy" / "demo" / "shop"
_BIN = Path(sys.executable).parent
_POLL_S = 0.1


@dataclass
class DemoShop:
    """Release 1.0.0, with its problems, in a folder of its own."""

    folder: Path
    sink: OtlpSink
    stub_url: str
    processes: list[Process] = field(default_factory=list)
    web_url: str = ""

    @property
    def environment(self) -> dict[str, str | None]:
        return {
            "DJANGO_SETTINGS_MODULE": "shop.settings",
            "PYTHONPATH": str(SHOP.parent),
            "SHOP_RELEASE": "1.0.0",
            "SHOP_DATA_DIR": str(self.folder / "shop"),
            "SHOP_STUB_URL": self.stub_url,
            "C_FORCE_ROOT": "1",
            "NO_PROXY": "127.0.0.1",
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.sink.url,
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }

    def prepare(self) -> None:
        """Make the database and fill it."""
        subprocess.run(
            [sys.executable, "-m", "django", "prepare"],
            env={**os.environ, **{k: v for k, v in self.environment.items() if v}},
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def start_web(self, *options: str) -> None:
        """Start gunicorn with one worker, and wait until it answers."""
        self.web_url = f"http://127.0.0.1:{(port := free_port())}"
        bind = ("--bind", f"127.0.0.1:{port}", "--workers", "1", "--no-control-socket")
        process = self._start("gunicorn", "shop.wsgi:application", *bind, *options)
        process.wait_for_url(f"{self.web_url}/health/")

    def start_worker(self, pool: str) -> None:
        """Start a Celery worker, and wait until it takes tasks."""
        quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        options = ("--pool", pool, "--concurrency", "2", "--loglevel", "INFO")
        process = self._start("celery", "--app", "shop", "worker", *options, *quiet)
        process.wait_for_line(r"celery@\S+ ready")

    def _start(self, *command: str) -> Process:
        program, *arguments = command
        process = Process(
            [_BIN / "opentelemetry-instrument", _BIN / program, *arguments],
            log_path=self.folder / f"{len(self.processes)}.log",
            env=self.environment,
            cwd=self.folder,
        )
        self.processes.append(process)
        process.start()
        return process

    def ask(
        self, method: str, path: str, *, body: object = None, headers: dict[str, str] | None = None
    ) -> bytes:
        """Send a request, and return the id of its trace."""
        trace_id = uuid.uuid4().hex
        answer = httpx.request(
            method,
            f"{self.web_url}{path}",
            content=None if body is None else json.dumps(body),
            headers={**(headers or {}), "traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"},
            timeout=30,
            trust_env=False,
        )
        assert answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR, answer.text[-500:]
        return bytes.fromhex(trace_id)

    def publish(self, task: str, arguments: Sequence[object]) -> bytes:
        """Have the shop publish a task, and return the id of the trace."""
        return self.ask("POST", "/erp/jobs/", body={"task": task, "runs": [arguments]})

    def trace(self, trace_id: bytes, *, complete: Callable[[list[Span]], bool]) -> list[Span]:
        """Wait until a trace is complete, and return its spans."""
        deadline = time.monotonic() + 60
        while not complete(found := [s for s in self.sink.spans() if s.trace_id == trace_id]):
            assert time.monotonic() < deadline, f"only {[span.name for span in found]} arrived"
            time.sleep(_POLL_S)
        return found

    def end(self) -> None:
        """End all processes."""
        for process in self.processes:
            process.kill()
