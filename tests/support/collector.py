"""A collector as its users run it: `hotspan serve` in a process of its own."""

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from support.processes import Process, free_port

_POLL_INTERVAL_S = 0.1
_T = TypeVar("_T")

EMBEDDED_FIRST = ("embedded", pytest.param("server", marks=pytest.mark.slow))
"""The stores, for what takes long and hardly differs between them."""

# What a test waits for should come soon.
QUICK: Mapping[str, str] = {
    "HOTSPAN_COMMIT_LINGER_MS": "20",
    "HOTSPAN_EVALUATE_EVERY_S": "0.2",
    "HOTSPAN_SETTLE_S": "0.3",
    "HOTSPAN_SETTLE_INCOMPLETE_S": "2",
    "HOTSPAN_OPEN_AFTER_HITS": "1",
}


class Collector:
    """One collector; a restart keeps its ports and its data.

    Args:
        directory: For the embedded store's data, and the log.
        store: DSN of another store; empty for the embedded one.
        env: Settings, besides or instead of those of `base`.
        base: `QUICK`, or nothing for what users get.
    """

    def __init__(
        self,
        directory: Path,
        *,
        store: str = "",
        env: Mapping[str, str] | None = None,
        base: Mapping[str, str] = QUICK,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.grpc_port, self.http_port, self.api_port = free_port(), free_port(), free_port()
        self.data_dir = directory / "data"
        settings = {**base, "HOTSPAN_STORE": store, **(env or {})}
        self.process = Process(
            [
                *(Path(sys.executable).with_name("hotspan"), "serve", "--data-dir", self.data_dir),
                *("--grpc-port", str(self.grpc_port), "--http-port", str(self.http_port)),
                *("--api-port", str(self.api_port)),
            ],
            log_path=directory / "collector.log",
            env=settings,
            cwd=directory,
        )

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def grpc_target(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"

    def start(self) -> None:
        """Start, and wait until it takes spans, if it does, and answers."""
        self.process.start()
        self.process.wait_for_line(r"^(OTLP/gRPC|API) ")
        self.process.wait_for_url(f"http://127.0.0.1:{self.api_port}/healthz")

    def stop(self) -> int:
        """Ask it to end, as systemd and Docker do; return its exit status."""
        self.process.terminate(timeout_s=60)
        assert self.process.returncode is not None
        return self.process.returncode

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()

    def api(self, path: str, **parameters: str | int) -> dict:
        """Return the answer of the API."""
        answer = self.get(path, **parameters)
        answer.raise_for_status()
        return answer.json()

    def get(self, path: str, **parameters: str | int) -> httpx.Response:
        """Return the API's answer, whatever it is."""
        url = f"http://127.0.0.1:{self.api_port}/api/v1/{path}"
        return httpx.get(url, params=parameters, trust_env=False, timeout=30)

    def post(
        self,
        body: bytes,
        *,
        path: str = "/v1/traces",
        content_type: str = "application/x-protobuf",
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a request over OTLP/HTTP; return the answer, whatever it is."""
        return httpx.post(
            f"{self.http_url}{path}",
            content=body,
            headers={"content-type": content_type, **(headers or {})},
            trust_env=False,
            timeout=30,
        )

    def send(self, body: bytes) -> None:
        """Send a request over OTLP/HTTP that must be stored as a whole."""
        answer = self.post(body)
        assert answer.status_code == 200, answer.content
        assert not ExportTraceServiceResponse.FromString(
            answer.content
        ).partial_success.rejected_spans

    def wait_for(self, look: Callable[[], _T], *, timeout_s: float = 60) -> _T:
        """Look until there is something, and return it.

        Raises:
            TimeoutError: there was nothing.
        """
        deadline = time.monotonic() + timeout_s
        while not (found := look()):
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"nothing came; the collector says:\n{self.process.last_lines()}"
                )
            time.sleep(_POLL_INTERVAL_S)
        return found

    def trace(self, trace_id: str) -> dict | None:
        """Return a trace, or None when nothing of it is stored."""
        answer = self.get(f"traces/{trace_id}")
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        return answer.json()

    def violations(self, service: str) -> list[dict]:
        """Return the violations of a service."""
        return self.api("violations", service=service)["violations"]

    def entries(self, service: str) -> list[dict]:
        """Return the evaluated entries of a service."""
        return self.api("traces", service=service, limit=1000)["traces"]
