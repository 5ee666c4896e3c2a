"""Samples of what the API answers, made by hand: traces with their findings."""

from __future__ import annotations

from typing import Any

N_PLUS_ONE_TRACE = "a1" * 16
CELERY_TRACE = "ce" * 16
NASTY_TRACE = "ba" * 16
HUGE_TRACE = "fe" * 16
N_PLUS_ONE = "v1:9f2c41d07be35a68"
SLOW_CALL = "v1:51d0c3aa87be1246"
FIXED = "v1:f1"
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
