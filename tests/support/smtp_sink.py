"""An SMTP server that takes every message, or none."""

import socketserver
import threading
from types import TracebackType
from typing import Self


class SmtpSink:
    """Listens on a free port of 127.0.0.1 while it is open.

    Attributes:
        refuses: Whether it knows none of the recipients.

    """

    def __init__(self) -> None:
        self.refuses = False
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def port(self) -> int:
        port: int = self._server.server_address[1]
        return port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(sink: SmtpSink) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 sink\r\n")
            in_data = False
            while line := self.rfile.readline().strip():
                verb = line[:4].upper()
                if in_data and line != b".":
                    continue
                in_data = verb == b"DATA"
                if verb == b"QUIT":
                    break
                self.wfile.write(self._answer(verb))

        def _answer(self, verb: bytes) -> bytes:
            if verb == b"DATA":
                return b"354 go on\r\n"
            if verb == b"RCPT" and sink.refuses:
                return b"550 nobody of that name\r\n"
            return b"250 ok\r\n"

    return Handler
