"""The span of opening a connection, which no stock instrumentation shows."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.trace import SpanKind

from hotspan_instrumentation import guard
from hotspan_instrumentation.entry import current_entry
from hotspan_instrumentation.query_span import set_error
from hotspan_instrumentation.statement_attributes import database_attributes

CONNECT: Final = "hotspan.db.connect"
DB_CONNECTS: Final = "hotspan.db.connects"
DB_CONNECT_MS: Final = "hotspan.db.connect_ms"

_NS_PER_MS: Final = 1e6


@contextmanager
def connect_span(integration: Any) -> Iterator[None]:  # noqa: ANN401 - upstream is untyped
    """Make a span of the connection that is opened meanwhile.

    Not for one that a pool opens in a thread of its own: that is nobody's work.
    """
    span = _start(integration)
    started_ns = time.perf_counter_ns()
    try:
        yield
    except Exception as error:
        _end(span, integration, started_ns, error)
        raise
    _end(span, integration, started_ns, None)


@guard.guarded
def _start(integration: Any) -> trace.Span:  # noqa: ANN401
    if not trace.get_current_span().is_recording():
        return trace.INVALID_SPAN
    span: trace.Span = integration._tracer.start_span(  # noqa: SLF001 - the only way to it
        "connect", kind=SpanKind.CLIENT, attributes={CONNECT: True}
    )
    return span


@guard.guarded
def _end(
    span: trace.Span | None,
    integration: Any,  # noqa: ANN401
    started_ns: int,
    error: Exception | None,
) -> None:
    elapsed_ns = time.perf_counter_ns() - started_ns
    entry = current_entry()
    if entry is not None:
        entry.add_all({DB_CONNECTS: 1, DB_CONNECT_MS: elapsed_ns / _NS_PER_MS})
    if span is None or not span.is_recording():
        return
    if error is not None:
        set_error(span, error)
    else:  # what it is connected to is known only now
        span.set_attributes(database_attributes(integration))
    span.end()
