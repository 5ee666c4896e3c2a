"""The outside world of the shop: messenger, CDN, carriers, CRM, marketplace, language model.

Times are scaled down so that the demo ends within a minute, and stay above the rules' thresholds:

================  ==================  ========
service           as reported         here
================  ==================  ========
messenger         hangs, 15 timeouts  1.5 s
language model    some 17 s           1.2 s
CDN               some 2 s            0.2 s
================  ==================  ========
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

__all__ = ["Answer", "World", "handler", "main", "server"]

MESSENGER_S = 1.5
CDN_S = 0.2
MODEL_BASE_S = 0.1
MODEL_S_PER_KB = 0.008


@dataclass(frozen=True, slots=True)
class Answer:
    """What the world says, and after how long."""

    body: dict[str, object]
    after_s: float = 0.0
    status: HTTPStatus = HTTPStatus.OK


OK = Answer({"status": "ok"})
UNAVAILABLE = Answer({"status": "unavailable"}, status=HTTPStatus.SERVICE_UNAVAILABLE)


@dataclass(slots=True)
class World:
    """Answers by path. It remembers who has asked before: some succeed at the second try only."""

    asked: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(  # noqa: PLR0911  (a table of routes)
        self, path: str, query: dict[str, list[str]], body: bytes
    ) -> Answer:
        match path.strip("/").split("/"):
            case ["whatsapp", "messages"]:
                return OK if query.get("wait") == ["no"] else Answer(OK.body, MESSENGER_S)
            case ["cdn", "purge"]:
                return Answer(OK.body, CDN_S)
            case ["llm", "answers"]:
                return model_answer(len(body))
            case ["carriers", _, "quote"]:
                return Answer({"cents": 990})
            case ["carriers", "tracking", _] | ["rates", _]:
                return self.second_time_lucky(path)
            case ["crm", "customers", pk] if int(pk) % 10 < 3:
                return self.second_time_lucky(path)
            case ["marketplace", "v1", _]:
                return UNAVAILABLE
            case _:
                return OK

    def second_time_lucky(self, path: str) -> Answer:
        with self.lock:
            self.asked[path] += 1
            return UNAVAILABLE if self.asked[path] == 1 else OK


def model_answer(prompt_bytes: int) -> Answer:
    """The longer the prompt, the longer the model thinks."""
    after_s = MODEL_BASE_S + MODEL_S_PER_KB * prompt_bytes / 1000
    return Answer({"text": "It is in stock.", "tokens": prompt_bytes // 4}, after_s)


def handler(world: World) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body go out in one packet; without it each answer waits for a delayed ACK.
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self.reply()

        def do_POST(self) -> None:
            self.reply()

        def reply(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            answer = world.answer(parts.path, parse_qs(parts.query), body)
            time.sleep(answer.after_s)
            # A caller with little patience is gone by now.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.write(answer)

        def write(self, answer: Answer) -> None:
            content = json.dumps(answer.body).encode()
            self.send_response(answer.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base's name)
            """Quiet: what is asked of the world is in the traces."""

    return Handler


def server(*, port: int, host: str = "127.0.0.1") -> ThreadingHTTPServer:
    world_server = ThreadingHTTPServer((host, port), handler(World()))
    world_server.daemon_threads = True
    return world_server


def main() -> None:
    parser = argparse.ArgumentParser(description="The outside world of the demo shop")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    world_server = server(port=arguments.port, host=arguments.host)
    # shutdown() waits for serve_forever(), which runs in the thread that gets the signal.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=world_server.shutdown).start())
    with contextlib.suppress(KeyboardInterrupt):
        world_server.serve_forever()
    world_server.server_close()


if __name__ == "__main__":
    main()
