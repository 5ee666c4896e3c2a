"""A small HTTP server that answers as the API does, with samples made by hand."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ui.sample_answers import (
    BECOMES,
    detail,
    ingest,
    rule,
    services,
    status,
    summaries,
    violation,
    violations,
)
from ui.sample_traces import (
    CELERY_TRACE,
    FIXED,
    HUGE_TRACE,
    MARKDOWN,
    N_PLUS_ONE,
    N_PLUS_ONE_TRACE,
    NASTY,
    NASTY_TRACE,
    SCRIPT,
    START,
    TASK_FAILURE,
    celery_trace,
    huge_trace,
    n_plus_one_trace,
    nasty_trace,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ACTIVE = {"open", "acknowledged", "resolving", "regressed"}

__all__ = [
    "CELERY_TRACE",
    "FIXED",
    "HUGE_TRACE",
    "MARKDOWN",
    "NASTY",
    "NASTY_TRACE",
    "N_PLUS_ONE",
    "N_PLUS_ONE_TRACE",
    "SCRIPT",
    "TASK_FAILURE",
    "SampleApi",
    "detail",
    "n_plus_one_trace",
    "nasty_trace",
    "serve",
    "status",
    "summaries",
    "violation",
    "violations",
]


@dataclass
class SampleApi:
    """What the server answers, and what it was asked."""

    url: str = ""
    key: str = ""
    spans_stored: int = 1_284_302
    found: list[dict[str, Any]] = field(default_factory=violations)
    entries: list[dict[str, Any]] = field(default_factory=summaries)
    broken: bool = False
    refusal: str = ""
    takes_spans: bool = True
    said: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    asked: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    traces: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {
            made["trace_id"]: made
            for made in (n_plus_one_trace(), celery_trace(), nasty_trace(), huge_trace())
        }
    )

    def answer(self, path: str, query: list[tuple[str, str]]) -> tuple[int, Any]:  # noqa: C901, PLR0911  one for each route
        """The status and the JSON of an answer."""
        self.asked.append((path, query))
        if self.broken:
            return 503, {"code": "store_unavailable", "message": "The store is restarting. Wait."}
        parts = [unquote(part) for part in path.split("/")[3:]]
        match parts:
            case ["status"]:
                return 200, status(self.spans_stored)
            case ["ingest"] if self.takes_spans:
                return 200, ingest()
            case ["services"]:
                return 200, services()
            case ["rules"]:
                rules = [("n_plus_one", "N+1 queries"), ("task_failure", "Failed task")]
                return 200, {
                    "rules": [rule(*each) for each in rules],
                    "canary": {
                        "at": "2026-11-22T05:00:03Z",
                        "duration_ms": 0,
                        "entries": 1,
                        "failures": 0,
                        "error": "",
                    },
                    "problems": ["/etc/hotspan/rules/slow.sql:5: is not a rule: why is missing."],
                }
            case ["violations"]:
                return 200, self._violations(dict(query))
            case ["violations", violation_id]:
                hits = [each for each in self.found if each["id"] == violation_id]
                return (200, detail(hits[0])) if hits else _missing("violation")
            case ["traces"]:
                return 200, self._page(dict(query))
            case ["traces", trace_id] if trace_id in self.traces:
                return 200, self.traces[trace_id]
            case ["traces", trace_id, "spans", span_id] if trace_id in self.traces:
                return self._span(trace_id, span_id)
        return _missing("trace")

    def say(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """What the API answers when something is said of a violation."""
        self.said.append((path, body))
        if path.endswith("/overrides"):
            return 200, {"id": "c3d4", "values": body["values"]}
        _, violation_id, action = [unquote(part) for part in path.split("/")[3:]]
        if self.refusal:
            return 409, {"code": "conflict", "message": self.refusal}
        self.found = [
            each
            | (
                {
                    "status": BECOMES[action],
                    "status_by": body["by"],
                    "status_reason": body["reason"],
                }
                if each["id"] == violation_id
                else {}
            )
            for each in self.found
        ]
        return self.answer(f"/api/v1/violations/{violation_id}", [])

    def _violations(self, query: dict[str, str]) -> dict[str, Any]:
        names = ("service", "environment", "rule", "severity")
        status = query.get("status", "active")
        statuses = {"active": ACTIVE, "all": {each["status"] for each in self.found}}
        hits = [
            each
            for each in self.found
            if all(each[name] == query[name] for name in names if name in query)
            and each["status"] in statuses.get(status, {status})
        ]
        return {"violations": hits[: int(query["limit"])], "total": len(hits)}

    def _page(self, query: dict[str, str]) -> dict[str, Any]:
        hits = [
            each
            for each in self.entries
            if query.get("service", each["service"]) == each["service"]
        ]
        first = int(query.get("cursor", "0"))
        after = first + int(query["limit"])
        return {
            "traces": hits[first:after],
            "next_cursor": str(after) if after < len(hits) else None,
        }

    def _span(self, trace_id: str, span_id: str) -> tuple[int, Any]:
        spans = [each for each in self.traces[trace_id]["spans"] if each["span_id"] == span_id]
        if not spans:
            return _missing("span")
        carried = {
            "start": START,
            "status_message": "upstream timed out" if spans[0]["status"] == "error" else "",
            "trace_state": "",
            "scope_name": "opentelemetry.instrumentation.psycopg",
            "scope_version": "0.66b1",
            "scope": {"pool": 3},
            "attributes": {
                "db.system.name": "postgresql",
                "db.namespace": "shop",
                "server.port": 5432,
                "hotspan.db.in_transaction": False,
                "note": MARKDOWN,
            },
            "resource": {"service.name": spans[0]["service"], "service.version": "1.0.2"},
            "events": [
                {
                    "name": "exception",
                    "offset_us": 700.0,
                    "attributes": {"exception.type": "TimeoutError", "exception.message": SCRIPT},
                }
            ],
            "links": [{"trace_id": CELERY_TRACE, "span_id": f"{2:016x}", "attributes": {}}],
        }
        return 200, spans[0] | carried


def _missing(what: str) -> tuple[int, Any]:
    return 404, {"code": "not_found", "message": f"There is no such {what}."}


@contextmanager
def serve(port: int = 0) -> Iterator[SampleApi]:
    """Answer on a free port of this machine until the block ends."""
    api = SampleApi()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = json.loads(self.rfile.read(length))
            self.reply(api.say(urlsplit(self.path).path, body))

        def do_DELETE(self) -> None:
            api.said.append((urlsplit(self.path).path, {}))
            self.reply((200, rule("n_plus_one", "N+1 queries")))

        def do_GET(self) -> None:
            if api.key and self.headers.get("Authorization") != f"Bearer {api.key}":
                answer: tuple[int, Any] = 401, {"code": "key", "message": "A key is needed."}
            else:
                parts = urlsplit(self.path)
                answer = api.answer(parts.path, parse_qsl(parts.query, keep_blank_values=True))
            self.reply(answer)

        def reply(self, answer: tuple[int, Any]) -> None:
            body = json.dumps(answer[1]).encode()
            self.send_response(answer[0])
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
