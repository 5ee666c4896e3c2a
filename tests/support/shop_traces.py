"""Traces of a small shop, and their evaluation: what most tests of API and command line read."""

import itertools

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from hotspan_collector.database import Database
from hotspan_collector.rules.catalogue import Catalogue
from hotspan_collector.rules.evaluator import Evaluator, TickReport, Timing
from hotspan_collector.store.port import SpanStore
from support.evaluations import shipped_catalogue
from support.otlp_requests import MILLISECOND_NS, now_ns, request, span

_numbers = itertools.count(1)

CUSTOMER_SQL = 'SELECT "shop_customer"."id" FROM "shop_customer" WHERE "shop_customer"."id" = %s'


def evaluate(database: Database, *, open_after_hits: int = 1) -> TickReport:
    """Evaluate at once what is stored, by the two rules that these traces are made for."""
    return new_evaluator(database, open_after_hits=open_after_hits).tick()


def new_evaluator(database: Database, *, open_after_hits: int = 1) -> Evaluator:
    """Return an evaluator of those two rules."""
    known = shipped_catalogue().rules
    catalogue = Catalogue({each: known[each] for each in ("n_plus_one", "task_failure")})
    timing = Timing(settle_ms=0, settle_incomplete_ms=0, look_back_ms=5_000)
    return Evaluator(database, catalogue=catalogue, timing=timing, open_after_hits=open_after_hits)


def new_trace_id() -> str:
    """Return an id that no other trace of this process has."""
    return f"{next(_numbers):032x}"


def order_list(
    store: SpanStore,
    *,
    queries: int = 20,
    trace_id: str = "",
    ago_ms: int = 5_000,
    environment: str = "production",
    version: str = "1.0.0",
    service: str = "shop",
) -> str:
    """Store a request that runs one query a row; return its trace."""
    trace_id = trace_id or new_trace_id()
    started = now_ns() - ago_ms * MILLISECOND_NS
    root = span(
        "GET orders/",
        trace_id=trace_id,
        span_id=f"{1:016x}",
        start_ns=started,
        duration_ms=queries * 10 + 50,
        kind=Span.SPAN_KIND_SERVER,
        attributes={
            "http.request.method": "GET",
            "http.route": "orders/",
            "http.response.status_code": 200,
        },
    )
    rows = [
        span(
            "SELECT shop_customer",
            trace_id=trace_id,
            span_id=f"{number + 2:016x}",
            parent=f"{1:016x}",
            start_ns=started + (number * 10 + 5) * MILLISECOND_NS,
            duration_ms=8,
            kind=Span.SPAN_KIND_CLIENT,
            attributes={
                "db.system.name": "sqlite",
                "db.query.text": CUSTOMER_SQL,
                "code.file.path": "/app/shop/views.py",
                "code.line.number": 42,
                "code.function.name": "order_list",
            },
        )
        for number in range(queries)
    ]
    body = request([root, *rows], environment=environment, version=version, service=service)
    store.insert_spans(body, token=f"{trace_id}-{started}")
    return trace_id


def failing_task(store: SpanStore, *, trace_id: str = "", ago_ms: int = 5_000) -> str:
    """Store a task that failed; return its trace."""
    trace_id = trace_id or new_trace_id()
    started = now_ns() - ago_ms * MILLISECOND_NS
    raised = Span.Event(name="exception", time_unix_nano=started + 40 * MILLISECOND_NS)
    for key, value in {
        "exception.type": "ValueError",
        "exception.message": "no such invoice",
        "exception.stacktrace": 'Traceback\n  File "/app/shop/tasks.py", line 7, in book\n',
    }.items():
        raised.attributes.add(key=key).value.string_value = value
    task = span(
        "run/shop.tasks.book",
        trace_id=trace_id,
        span_id=f"{1:016x}",
        start_ns=started,
        duration_ms=50,
        kind=Span.SPAN_KIND_CONSUMER,
        error="no such invoice",
        attributes={"celery.task_name": "shop.tasks.book", "celery.state": "FAILURE"},
        events=[raised],
    )
    store.insert_spans(request([task]), token=f"{trace_id}-{started}")
    return trace_id
