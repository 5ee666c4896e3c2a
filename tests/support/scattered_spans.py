"""Spans of every kind of entry, to be sent in any order."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from hotspan_collector.store.port import SpanStore
from support.otlp_requests import MILLISECOND_NS, now_ns, request, span

INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = (
    Span.SPAN_KIND_INTERNAL,
    Span.SPAN_KIND_SERVER,
    Span.SPAN_KIND_CLIENT,
    Span.SPAN_KIND_PRODUCER,
    Span.SPAN_KIND_CONSUMER,
)
STATEMENT = "SELECT a FROM b WHERE id = %s"
# Ten minutes ago, so that a task that runs for eight of them has ended.
BEGAN_NS = now_ns() - 600_000 * MILLISECOND_NS


@dataclass(frozen=True)
class Sent:
    """A span with the process that sends it."""

    span: Span
    service: str = "web"
    environment: str = "production"

    def request(self) -> bytes:
        return request([self.span], service=self.service, environment=self.environment)


def one(trace: int, number: int, parent: int = 0, *, at_ms: float = 0, ms: float = 5, **values):
    return span(
        values.pop("name", f"span {number}"),
        trace_id=f"{trace:032x}",
        span_id=f"{number:016x}",
        parent=f"{parent:016x}" if parent else "",
        start_ns=BEGAN_NS + round(at_ms * MILLISECOND_NS),
        duration_ms=ms,
        **values,
    )


def queries(trace: int, parent: int, count: int = 6, *, first: int = 100, at_ms: float = 1):
    attributes = {"db.system": "sqlite", "db.statement": STATEMENT}
    return [
        one(trace, first + n, parent, at_ms=at_ms + 10 * n, kind=CLIENT, attributes=attributes)
        for n in range(count)
    ]


def sent(spans: Sequence[Span], **process: str) -> list[Sent]:
    return [Sent(each, **process) for each in spans]


def page(trace: int, **process: str) -> list[Sent]:
    root = one(trace, 1, ms=80, kind=SERVER, name="GET orders/")
    return sent([root, *queries(trace, 1)], **process)


def task(trace: int) -> list[Sent]:
    """A request that starts a task, which runs for eight minutes and then fails."""
    root = one(trace, 1, ms=80, kind=SERVER, name="POST book/")
    publish = one(trace, 2, 1, at_ms=1, kind=PRODUCER)
    run = one(
        trace,
        3,
        2,
        at_ms=50,
        ms=480_000,
        kind=CONSUMER,
        error="gone",
        attributes={"celery.task_name": "book", "celery.state": "FAILURE"},
    )
    work = queries(trace, 3, at_ms=400_000)
    return [*sent([root, publish]), *sent([run, *work], service="worker")]


def nested(trace: int) -> list[Sent]:
    """A request that is instrumented twice: one entry, though neither alone has enough queries."""
    outer = one(trace, 1, ms=200, kind=SERVER, name="GET outer/")
    inner = one(trace, 2, 1, ms=190, kind=SERVER, name="GET inner/")
    return sent([outer, inner, *queries(trace, 1, 3), *queries(trace, 2, 3, first=200, at_ms=100)])


def headless(trace: int) -> list[Sent]:
    """A request whose own span is lost."""
    return sent(queries(trace, 77))


def bent(trace: int) -> list[Sent]:
    """A request beside spans that are their own ancestors."""
    root = one(trace, 1, ms=100, kind=SERVER, name="GET bent/")
    self_made = one(trace, 2, 2, kind=INTERNAL)
    chicken, egg = one(trace, 3, 4, kind=INTERNAL), one(trace, 4, 3, kind=INTERNAL)
    return sent(
        [
            root,
            self_made,
            chicken,
            egg,
            *queries(trace, 1, 5),
            *queries(trace, 2, 5, first=200),
            *queries(trace, 3, 5, first=300),
        ]
    )


EVERYTHING = [
    *page(1),
    *page(2, environment="staging"),
    *task(3),
    *nested(4),
    *headless(5),
    *bent(6),
]


def insert(store: SpanStore, spans: Sequence[Sent]) -> None:
    store.insert_spans(b"".join(each.request() for each in spans), token=secrets.token_hex())
