"""What rules over windows read is made from spans: publications, waits, rows, databases."""

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from support.otlp_requests import MILLISECOND_NS, now_ns, request, span
from support.shop_traces import evaluate, new_trace_id

PAGE, QUERY, PUBLICATION, RUN = (f"{number:016x}" for number in range(1, 5))
TASK = {"celery.task_name": "shop.tasks.send", "messaging.message.id": "m-1"}
QUEUE = {"messaging.destination.name": "celery"}


def store_trace(store, *, run: bool = True, run_attributes: dict | None = None) -> str:
    """Store a page that runs a query and publishes a task, which runs 2 s later."""
    trace_id = new_trace_id()
    started = now_ns() - 5_000 * MILLISECOND_NS
    common = {"trace_id": trace_id}
    page = [
        span(
            "POST orders/",
            span_id=PAGE,
            start_ns=started,
            duration_ms=100,
            kind=Span.SPAN_KIND_SERVER,
            attributes={"http.request.method": "POST", "http.route": "orders/"},
            **common,
        ),
        span(
            "SELECT",
            span_id=QUERY,
            parent=PAGE,
            start_ns=started,
            duration_ms=7,
            kind=Span.SPAN_KIND_CLIENT,
            attributes={
                "db.system.name": "postgresql",
                "db.namespace": "shop",
                "server.address": "db",
                "db.query.text": "SELECT 1 FROM t",
                "db.response.returned_rows": 30,
            },
            **common,
        ),
        span(
            "apply_async/shop.tasks.send",
            span_id=PUBLICATION,
            parent=PAGE,
            start_ns=started + 10 * MILLISECOND_NS,
            kind=Span.SPAN_KIND_PRODUCER,
            attributes={**TASK, **QUEUE},
            **common,
        ),
    ]
    store.insert_spans(request(page, service="web"), token=f"{trace_id}-web")
    if run:
        work = span(
            "run/shop.tasks.send",
            span_id=RUN,
            parent=PUBLICATION,
            start_ns=started + 2_011 * MILLISECOND_NS,
            kind=Span.SPAN_KIND_CONSUMER,
            attributes={**TASK, **QUEUE, "celery.state": "SUCCESS", **(run_attributes or {})},
            **common,
        )
        store.insert_spans(request([work], service="worker"), token=f"{trace_id}-worker")
    evaluate(store)
    return trace_id


def publications(store) -> list[tuple]:
    rows = store.rows(
        "SELECT task, queue, message_id, lower(hex(entry_span_id)) AS entry, service "
        "FROM publications FINAL"
    )
    return [tuple(row.values()) for row in rows]


def wait_ms(store) -> float | None:
    (row,) = store.rows("SELECT queue_wait_ms FROM current_entries WHERE kind = 'task'")
    return row["queue_wait_ms"]


def test_publications_are_kept(embedded_store):
    """With the entry that asked for the task, whether it ran or not."""
    store_trace(embedded_store, run=False)

    assert publications(embedded_store) == [("shop.tasks.send", "celery", "m-1", PAGE, "web")]


def test_publications_are_kept_once(embedded_store):
    """However often their trace is evaluated."""
    store_trace(embedded_store)
    evaluate(embedded_store)

    assert len(publications(embedded_store)) == 1


def test_waiting_is_counted_from_the_publication(embedded_store):
    """On stock spans: from its end to the run's start."""
    store_trace(embedded_store)

    assert wait_ms(embedded_store) == 2_000


def test_the_instrumentation_knows_better(embedded_store):
    """It knows the ETA of a retry, and the time in the message."""
    store_trace(embedded_store, run_attributes={"hotspan.task.queue_wait_ms": 12.5})

    assert wait_ms(embedded_store) == 12.5


def test_rows_and_databases_of_an_entry(embedded_store):
    """What its queries returned, and where they ran."""
    store_trace(embedded_store, run=False)
    rows = embedded_store.rows("SELECT db_rows, db_max_rows, databases FROM current_entries")

    assert rows == [
        {"db_rows": 30, "db_max_rows": 30, "databases": {"postgresql db shop": 7_000_000}}
    ]
