"""Samples of what the API answers, made by hand: lists, violations, status."""

from __future__ import annotations

from typing import Any

from ui.sample_traces import (
    CELERY_TRACE,
    CUSTOMER_SQL,
    FIXED,
    MARKDOWN,
    N_PLUS_ONE,
    N_PLUS_ONE_TRACE,
    NASTY,
    NASTY_TRACE,
    QUERIES,
    SCRIPT,
    SLOW_CALL,
    TASK_FAILURE,
    VIEW,
)

ACTIONS = {
    "open": ["acknowledge", "ignore", "resolve"],
    "acknowledged": ["ignore", "reopen", "resolve"],
    "ignored": ["acknowledge", "unignore", "reopen", "resolve"],
    "verified_fixed": ["reopen"],
}
BECOMES = {
    "acknowledge": "acknowledged",
    "ignore": "ignored",
    "unignore": "open",
    "reopen": "open",
    "resolve": "resolving",
}


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
        "state": "failing" if rule_id == "task_failure" else "ok",
        "last_run": {
            "at": "2026-11-22T05:00:03Z",
            "duration_ms": 12.5,
            "entries": 311,
            "failures": 2 if rule_id == "task_failure" else 0,
            "error": "There is no column named x." if rule_id == "task_failure" else "",
        },
        "scopes": [
            {"service": "legacy", "values": {"min_repetitions": 20}},
            {
                "id": "a1b2",
                "entry": "shop.tasks.*",
                "values": {"min_repetitions": 100},
                "by": "ada",
                "reason": "nightly",
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
            quiet=True,
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
            FIXED,
            "query_chain",
            "Chain of queries",
            severity="warning",
            status="verified_fixed",
            status_reason="44 entries of 1.1.0 without it",
            entry="GET /accounts/",
            lost_seconds_per_day=0.0,
            summary="Each query's key came from the one before, 12 times.",
            fix={
                "releases": ["1.1.0"],
                "entries": 44,
                "entries_needed": 44,
                "hit_rate": 0.1,
                "queries_before": 151.4,
                "queries_after": 16.2,
                "duration_ms_before": 4510.0,
                "duration_ms_after": 610.0,
                "lost_seconds_per_day_before": 812.0,
                "verified_at": "2026-11-22T04:00:00Z",
            },
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


def _missing_attributes(found: dict[str, Any]) -> list[str]:
    relation = [] if found["confidence"] == "high" else ["hotspan.orm.relation"]
    has_a_line = not found["rule"].startswith("task_")
    return relation + (["code.file.path"] if has_a_line and not found["code"] else [])


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
            "missing_attributes": _missing_attributes(found),
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
        "actions": ACTIONS.get(found["status"], []),
        "history": [
            {
                "at": "2026-11-20T08:12:00Z",
                "event": "opened",
                "from_status": "pending",
                "to_status": "open",
                "by": "",
                "reason": "",
                "release": "1.0.0",
            }
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


def ingest() -> dict[str, Any]:
    """The ledger, of two services of which one sends what cannot be stored."""
    return {
        "services": [
            {"service": "shop-web", "received": 1_200_000, "stored": 1_200_000, "pending": 0},
            {
                "service": SCRIPT,
                "received": 84_500,
                "stored": 84_302,
                "rejected": {"too_old": 120, "invalid_ids": 8},
                "dropped": {"expired": 20},
                "pending": 50,
            },
        ],
        "store_up": False,
        "spool_batches": 12,
        "spool_bytes": 3_500_000,
        "spool_max_bytes": 1_073_741_824,
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
