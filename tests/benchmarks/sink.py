"""An HTTP server that takes everything and does nothing with it. Prints its port."""

import json
import socketserver
import sys
from http.server import BaseHTTPRequestHandler


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        else:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
        # OTLP's empty answer; ddtrace's agent would answer with rates, and may have none.
        body = b"" if self.path == "/v1/traces" else b"{}"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_GET = do_POST  # noqa: N815 - the names that the base class looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its signature
        pass


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


with _Server(("127.0.0.1", 0), _Handler) as server:
    sys.stdout.write(f"{json.dumps({'port': server.server_address[1]})}\n")
    sys.stdout.flush()
    server.serve_forever()
