"""An OTLP/HTTP receiver that keeps what it is sent, or refuses it, or never answers."""

import contextlib
import gzip
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

_POLL_INTERVAL_S = 0.05


class SinkError(Exception):
    """The sink did not receive what a test waited for."""


class OtlpSink:
    """Listens on a free port of 127.0.0.1 while it is open.

    Attributes:
        requests: What has been accepted, in order of arrival.
        paths: The path of each request, also of those refused.
        status: What it answers; requests answered with anything but 200 are not kept.
        waiting: How many requests are held without an answer.

    """

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.paths: list[str] = []
        self.status = 200
        self.waiting = 0
        self._answering = threading.Event()
        self._answering.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        """What OTEL_EXPORTER_OTLP_ENDPOINT is set to."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def hold(self) -> None:
        """Answer nobody until released."""
        self._answering.clear()

    def release(self) -> None:
        """Answer again, and those who wait too."""
        self._answering.set()

    def await_release(self) -> None:
        """Wait while the sink is held."""
        self.waiting += 1
        self._answering.wait()
        self.waiting -= 1

    def resource_spans(self) -> Iterator[ResourceSpans]:
        """All that has arrived, by resource."""
        for request in list(self.requests):
            yield from request.resource_spans

    def spans(self, name: str | None = None) -> list[Span]:
        """Return the spans that have arrived, or those of a name."""
        return [
            span
            for resource in self.resource_spans()
            for scope in resource.scope_spans
            for span in scope.spans
            if name is None or span.name == name
        ]

    def wait_for(self, name: str, *, count: int = 1, timeout_s: float = 60) -> list[Span]:
        """Wait until so many spans of a name have arrived, and return them.

        Raises:
            SinkError: The time is over.

        """
        deadline = time.monotonic() + timeout_s
        while len(found := self.spans(name)) < count:
            if time.monotonic() > deadline:
                names = sorted({span.name for span in self.spans()})
                raise SinkError(f"{len(found)} of {count} spans {name!r} arrived; others: {names}")
            time.sleep(_POLL_INTERVAL_S)
        return found

    def processes(self) -> set[int]:
        """Return the ids of the processes that have sent something."""
        return {
            item.value.int_value
            for resource in self.resource_spans()
            for item in resource.resource.attributes
            if item.key == "process.pid"
        }

    def wait_for_processes(self, pids: set[int], *, timeout_s: float = 60) -> None:
        """Wait until each of these processes has sent something.

        Raises:
            SinkError: The time is over.

        """
        deadline = time.monotonic() + timeout_s
        while not pids <= (found := self.processes()):
            if time.monotonic() > deadline:
                raise SinkError(f"of the processes {pids} only {found & pids} have sent something")
            time.sleep(_POLL_INTERVAL_S)


def _handler(sink: OtlpSink) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            sink.paths.append(self.path)
            sink.await_release()
            if sink.status == 200 and self.path == "/v1/traces":
                sink.requests.append(ExportTraceServiceRequest.FromString(body))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._answer(ExportTraceServiceResponse().SerializeToString())

        def _answer(self, body: bytes) -> None:
            self.send_response(sink.status)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its signature
            pass

    return Handler
