"""A small HTTP server that answers as the API does, with samples made by hand."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

N_PLUS_ONE_TRACE = "a1" * 16
CELERY_TRACE = "ce" * 16
NASTY_TRACE = "ba" * 16
HUGE_TRACE = "fe" * 16
N_PLUS_ONE = "v1:9f2c41d07be35a68"
SLOW_CALL = "v1:51d0c3aa87be1246"
TASK_FAILURE = "v1:c77e02b19a4d6f80"
NASTY = "v1:nasty/<b>&?#"

SCRIPT = "<script>document.title = 'broken'</script>"
MARKDOWN = "[click](javascript:alert(1)) **bold** :red[red] $x$ `code` <img src=x onerror=alert(1)>"
QUERIES = 230

START = "2026-11-22T05:00:00.250Z"
CUSTOMER_SQL = (
    'SELECT "shop_customer"."id", "shop_customer"."name", "shop_customer"."city" '
    'FROM "shop_customer" WHERE "shop_customer"."id" = %s LIMIT 21'
)
VIEW = {"file": "shop/views/orders.py", "line": 42, "function": "order_list"}


def span(number: int, parent: int | None, **values: Any) -> dict[str, Any]:
    """A span as the waterfall gets it."""
    return {
        "span_id": f"{number:016x}",
        "parent_span_id": None if parent is None else f"{parent:016x}",
        "entry_span_id": f"{1:016x}",
        "name": "span",
        "service": "shop-web",
        "kind": "internal",
        "start_us": 0.0,
        "duration_us": 1000.0,
        "status": "unset",
        "statement": None,
        "statement_fingerprint": None,
        "code": None,
    } | values


def finding(violation_id: str, rule: str, span_ids: list[str], **values: Any) -> dict[str, Any]:
    return {
        "rule": rule,
        "severity": "critical",
        "confidence": "high",
        "service": "shop-web",
        "entry": "GET /orders/",
        "entry_span_id": f"{1:016x}",
        "trace_id": N_PLUS_ONE_TRACE,
        "fingerprint": violation_id,
        "count": QUERIES,
        "wasted_ms": 1840.0,
        "evidence": {
            "span_ids": span_ids,
            "statement": None,
            "details": {},
            "missing_attributes": [],
        },
        "suggestion": "Change it.",
        "code": VIEW,
    } | values


def trace(trace_id: str, spans: list[dict[str, Any]], **values: Any) -> dict[str, Any]:
    end = max((each["start_us"] + each["duration_us"] for each in spans), default=0)
    return {
        "trace_id": trace_id,
        "start": START,
        "duration_ms": end / 1000,
        "services": sorted({each["service"] for each in spans}),
        "spans": sorted(spans, key=lambda each: each["start_us"]),
        "truncated": False,
        "total_spans": len(spans),
        "findings": [],
    } | values


def n_plus_one_trace() -> dict[str, Any]:
    """A listing that loads each order's customer: the same query 230 times in a loop."""
    root = span(1, None, name="GET /orders/", kind="server", duration_us=2_410_000.0)
    auth = span(2, 1, name="AuthenticationMiddleware", start_us=900.0, duration_us=21_000.0)
    session = span(
        3,
        2,
        name="SELECT",
        kind="client",
        start_us=2_100.0,
        duration_us=9_300.0,
        statement='SELECT "session_data" FROM "django_session" WHERE "session_key" = %s',
        statement_fingerprint="f-session",
    )
    view = span(4, 1, name="order_list", start_us=24_000.0, duration_us=2_300_000.0, code=VIEW)
    orders = span(
        5,
        4,
        name="SELECT",
        kind="client",
        start_us=30_000.0,
        duration_us=88_000.0,
        statement='SELECT * FROM "shop_order" ORDER BY "created_at" DESC LIMIT 230',
        statement_fingerprint="f-orders",
        code=VIEW,
    )
    loop = [
        span(
            100 + index,
            4,
            name="SELECT",
            kind="client",
            start_us=130_000.0 + index * 9_000.0,
            duration_us=7_600.0 + (index * 37 % 11) * 100,
            statement=CUSTOMER_SQL,
            statement_fingerprint="f-customer",
            code=VIEW,
        )
        for index in range(QUERIES)
    ]
    render = span(6, 4, name="render order_list.html", start_us=2_210_000.0, duration_us=95_000.0)
    audit = span(
        7,
        1,
        name="POST /events",
        service="audit",
        kind="server",
        start_us=2_330_000.0,
        duration_us=61_000.0,
        status="error",
    )
    evidence = finding(N_PLUS_ONE, "n_plus_one", [each["span_id"] for each in loop[:20]])
    return trace(
        N_PLUS_ONE_TRACE,
        [root, auth, session, view, orders, *loop, render, audit],
        findings=[evidence],
    )


def celery_trace() -> dict[str, Any]:
    """A request that publishes a task, which calls a payment provider, fails and is retried."""
    worker = {"service": "shop-worker", "kind": "consumer"}
    spans = [
        span(1, None, name="POST /checkout/", kind="server", duration_us=180_000.0),
        span(2, 1, name="apply_async/shop.charge", kind="producer", start_us=120_000.0),
        span(3, 2, name="run/shop.charge", start_us=420_000.0, duration_us=3_300_000.0, **worker)
        | {"status": "error"},
        span(
            4,
            3,
            name="POST",
            service="shop-worker",
            kind="client",
            start_us=450_000.0,
            duration_us=3_200_000.0,
            status="error",
        ),
        span(5, 2, name="run/shop.charge", start_us=5_000_000.0, duration_us=900_000.0, **worker),
    ]
    return trace(CELERY_TRACE, spans)


def nasty_trace() -> dict[str, Any]:
    """Names that are markup, a missing parent, a cycle, an empty name, a very long one."""
    spans = [
        span(1, None, name=SCRIPT, service=MARKDOWN, duration_us=5_000.0),
        span(2, 1, name=MARKDOWN, statement=SCRIPT, statement_fingerprint="x", status="error"),
        span(3, 999, name="orphan"),
        span(4, 5, name="cycle"),
        span(5, 4, name="cycle"),
        span(6, 1, name=""),
        span(7, 1, name="long " * 500),
    ]
    return trace(NASTY_TRACE, spans)


def huge_trace() -> dict[str, Any]:
    """10,000 spans: 100 pages of a nightly export, 99 different steps each."""
    spans = [span(1, None, name="export", kind="consumer", duration_us=10_000_000.0)]
    for page in range(100):
        first = 1000 + page * 100
        start = page * 100_000.0
        spans.append(span(first, 1, name=f"page {page}", start_us=start, duration_us=99_000.0))
        spans += [
            span(
                first + step,
                first,
                name=f"step {step}",
                service=f"service-{step % 4}",
                start_us=start + step * 990,
                duration_us=900.0,
            )
            for step in range(1, 100)
        ]
    return trace(HUGE_TRACE, spans[:10_000])


def rule(rule_id: str, title: str) -> dict[str, Any]:
    return {
        "id": rule_id,
        "title": title,
        "finds": "The same SELECT once per row of something.",
        "why": "Each query waits for the database and back: 200 rows wait 200 times.",
        "settings": [
            {
                "name": "min_repetitions",
                "type": "int",
                "default": 5,
                "value": 5,
                "unit": "queries",
                "reason": "Below this, a loop is rarely worth a change.",
            },
            {
                "name": "critical_wasted_ms",
                "type": "float",
                "default": 200,
                "value": 150,
                "unit": "ms",
                "reason": "People notice it.",
            },
        ],
        "needs": ["code.file.path", "hotspan.orm.relation"],
        "docs": f"rules/{rule_id}.md",
    }


def violation(violation_id: str, rule_id: str, title: str, **values: Any) -> dict[str, Any]:
    return {
        "id": violation_id,
        "rule": rule_id,
        "title": title,
        "severity": "critical",
        "confidence": "high",
        "status": "open",
        "service": "shop-web",
        "namespace": "erp",
        "environment": "production",
        "entry": "GET /orders/",
        "entry_kind": "web",
        "hits": 1204,
        "entries": 1311,
        "count": QUERIES,
        "wasted_ms": 1840.0,
        "lost_seconds_per_day": 5240.0,
        "first_seen": "2026-11-20T08:11:00Z",
        "last_seen": "2026-11-22T05:00:03Z",
        "first_release": "1.0.0",
        "last_release": "1.0.2",
        "code": VIEW,
        "suggestion": (
            'Load the customers with the orders: add `select_related("customer")` to the query in '
            "`order_list`. One query instead of 231."
        ),
        "summary": (
            "230 equal queries in one request: `shop_customer` is loaded once per order, "
            "1.84 s of 2.41 s."
        ),
    } | values


def violations() -> list[dict[str, Any]]:
    return [
        violation(N_PLUS_ONE, "n_plus_one", "N+1 queries"),
        violation(
            SLOW_CALL,
            "slow_external_call",
            "Slow external call",
            severity="warning",
            confidence="medium",
            service="shop-worker",
            entry="shop.charge",
            entry_kind="task",
            hits=88,
            entries=412,
            count=1,
            wasted_ms=3200.0,
            lost_seconds_per_day=281.6,
            code={
                "file": "/srv/shop/payments/gateway/client.py",
                "line": 118,
                "function": "charge",
            },
            suggestion="Give the call a timeout: `requests.post(url, timeout=(3.05, 10))`.",
            summary="A call to api.payments.example took 3.2 s.",
        ),
        violation(
            TASK_FAILURE,
            "task_failure",
            "Task failed",
            service="shop-worker",
            environment="staging",
            entry="shop.sync_stock",
            entry_kind="task",
            status="quiet",
            hits=17,
            entries=60,
            count=17,
            wasted_ms=0.0,
            lost_seconds_per_day=0.0,
            code=None,
            suggestion="Retry it: `autoretry_for=(ConnectionError,), retry_backoff=True`.",
            summary="17 of 60 runs failed with ConnectionError.",
        ),
        violation(
            NASTY,
            "n_plus_one",
            SCRIPT,
            severity="info",
            entry=MARKDOWN,
            service=SCRIPT,
            suggestion=f"`{SCRIPT}` and {MARKDOWN}",
            summary=MARKDOWN,
            lost_seconds_per_day=0.4,
            wasted_ms=3.0,
            count=6,
        ),
    ]


def detail(found: dict[str, Any]) -> dict[str, Any]:
    nasty = found["id"] == NASTY
    trace_id = {NASTY: NASTY_TRACE, N_PLUS_ONE: N_PLUS_ONE_TRACE}.get(found["id"], CELERY_TRACE)
    spans = {
        NASTY: [f"{2:016x}"],
        N_PLUS_ONE: [f"{100 + index:016x}" for index in range(20)],
        TASK_FAILURE: [f"{3:016x}"],
    }.get(found["id"], [f"{4:016x}"])
    return found | {
        "evidence": {
            "span_ids": spans,
            "statement": CUSTOMER_SQL if found["rule"] == "n_plus_one" else None,
            "details": (
                {SCRIPT: SCRIPT} if nasty else {"repetitions": found["count"], "share": 0.76}
            ),
            "missing_attributes": [] if found["confidence"] == "high" else ["hotspan.orm.relation"],
        },
        "evidence_trace_id": trace_id,
        "evidence_entry_span_id": f"{1:016x}",
        "occurrences": [
            {
                "trace_id": trace_id,
                "entry_span_id": f"{1:016x}",
                "at": f"2026-11-22T0{hour}:00:00Z",
                "duration_ms": 2410.0 - hour * 10,
                "count": found["count"],
                "wasted_ms": found["wasted_ms"],
                "version": "1.0.2",
            }
            for hour in (5, 4, 3)
        ],
        "rule_info": rule(found["rule"], found["rule"].replace("_", " ")),
    }


def summaries() -> list[dict[str, Any]]:
    names = ["GET /orders/", "GET /orders/{id}/", "shop.charge", "POST /checkout/", SCRIPT]
    return [
        {
            "trace_id": [N_PLUS_ONE_TRACE, CELERY_TRACE][number % 2],
            "entry_span_id": f"{1:016x}",
            "start": f"2026-11-22T04:{59 - number // 2:02d}:{59 - number % 60:02d}Z",
            "duration_ms": [2410.0, 31.5, 3300.0, 180.0, 0.8][number % 5] * (1 + number % 7 / 10),
            "service": ["shop-web", "shop-web", "shop-worker"][number % 3],
            "environment": "production",
            "version": "1.0.2",
            "kind": "task" if number % 5 == 2 else "web",
            "name": names[number % 5],
            "error": number % 9 == 2,
            "http_status": None if number % 5 == 2 else (500 if number % 9 == 2 else 200),
            "task_state": "SUCCESS" if number % 5 == 2 else None,
            "spans": 237,
            "queries": [232, 4, 1, 12, 0][number % 5],
            "findings": int(number % 5 == 0),
            "partial": number == 3,
        }
        for number in range(60)
    ]


def status(spans_stored: int = 1_284_302) -> dict[str, Any]:
    return {
        "version": "0.1.0",
        "store": "chdb 4.4.0",
        "spans_stored": spans_stored,
        "spans_rejected": 0,
        "evaluator_lag_s": 3.4,
        "evaluator_pending_entries": 2,
        "last_evaluated_entry": "2026-11-22T05:00:03Z",
        "alerts_pending": 0,
        "of_a_newer_version": True,
    }


def services() -> dict[str, Any]:
    pairs = [
        ("shop-web", "production"),
        ("shop-worker", "production"),
        ("shop-worker", "staging"),
        (SCRIPT, "production"),
    ]
    return {
        "services": [
            {
                "name": name,
                "namespace": "erp",
                "environment": environment,
                "versions": ["1.0.2"],
                "entries": 1311,
                "errors": 3,
                "p50_ms": 30.1,
                "p95_ms": 2400.0,
                "last_seen": "2026-11-22T05:00:03Z",
            }
            for name, environment in pairs
        ]
    }


@dataclass
class SampleApi:
    """What the server answers, and what it was asked."""

    url: str = ""
    key: str = ""
    spans_stored: int = 1_284_302
    found: list[dict[str, Any]] = field(default_factory=violations)
    entries: list[dict[str, Any]] = field(default_factory=summaries)
    broken: bool = False
    asked: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    traces: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {
            made["trace_id"]: made
            for made in (n_plus_one_trace(), celery_trace(), nasty_trace(), huge_trace())
        }
    )

    def answer(self, path: str, query: list[tuple[str, str]]) -> tuple[int, Any]:  # noqa: PLR0911  one for each route
        """The status and the JSON of an answer."""
        self.asked.append((path, query))
        if self.broken:
            return 503, {"code": "store_unavailable", "message": "The store is restarting. Wait."}
        parts = [unquote(part) for part in path.split("/")[3:]]
        match parts:
            case ["status"]:
                return 200, status(self.spans_stored)
            case ["services"]:
                return 200, services()
            case ["rules"]:
                rules = [("n_plus_one", "N+1 queries"), ("task_failure", "Failed task")]
                return 200, {"rules": [rule(*each) for each in rules]}
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

    def _violations(self, query: dict[str, str]) -> dict[str, Any]:
        names = ("service", "environment", "rule", "severity", "status")
        hits = [
            each
            for each in self.found
            if all(each[name] == query[name] for name in names if name in query)
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

        def do_GET(self) -> None:
            if api.key and self.headers.get("Authorization") != f"Bearer {api.key}":
                answer: tuple[int, Any] = 401, {"code": "key", "message": "A key is needed."}
            else:
                parts = urlsplit(self.path)
                answer = api.answer(parts.path, parse_qsl(parts.query, keep_blank_values=True))
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
