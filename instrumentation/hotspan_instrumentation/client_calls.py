"""What the stock spans of outgoing calls do not say: their timeout, and where they are made from.

A call without a timeout is found before it ever hangs; one inside a transaction holds its locks as
long as the other side pleases.
"""

import contextvars
import socket
import sys
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.semconv.attributes.url_attributes import URL_FULL
from opentelemetry.trace import SpanKind

from hotspan_instrumentation.entry import entry_of
from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.url_template import url_template

TIMEOUT_S: Final = "hotspan.client.timeout_s"
RETRY: Final = "hotspan.client.retry"
IN_TRANSACTION: Final = "hotspan.client.in_transaction"
IN_SIGNAL: Final = "hotspan.client.in_signal"

URL_TEMPLATE: Final = "url.template"  # in development, so that no stable module has it

HTTP_CALLS: Final = "hotspan.http.calls"
HTTP_TIME_MS: Final = "hotspan.http.time_ms"

NO_TIMEOUT: Final = -1.0

_NS_PER_MS: Final = 1e6

_HTTP: Final = ("http.request.method", "http.method")
_OLD_URL: Final = "http.url"
_RPC: Final = "rpc.system"  # of botocore, which has HTTP's own spans suppressed
# What the spans of calls have when they start; those of databases have nothing yet.
_CALLS: Final = (*_HTTP, _RPC, "network.protocol.name")

# The signal whose receivers are at work.
active_signal: contextvars.ContextVar[str | None] = contextvars.ContextVar(
    "hotspan_active_signal", default=None
)


class ClientCallProcessor(SpanProcessor):
    """Record of each call to another service whether it is made in a transaction or a signal."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        del parent_context
        if span.kind is SpanKind.CLIENT:
            _describe_place(span)

    def _on_ending(self, span: Span) -> None:
        if span.kind is SpanKind.CLIENT:
            _count(span)


@guarded
def _count(span: Span) -> None:
    """Count a call by HTTP for the entry that it belongs to."""
    attributes = span.attributes or {}
    entry = entry_of(span)
    if entry is None or not any(name in attributes for name in _HTTP):
        return
    elapsed_ns = (span.end_time or 0) - (span.start_time or 0)
    entry.add_all({HTTP_CALLS: 1, HTTP_TIME_MS: elapsed_ns / _NS_PER_MS})


@guarded
def _describe_place(span: Span) -> None:
    attributes = span.attributes or {}
    if not any(name in attributes for name in _CALLS):
        return
    span.set_attribute(IN_SIGNAL, active_signal.get() is not None)
    in_transaction = _in_transaction()
    if in_transaction is not None:
        span.set_attribute(IN_TRANSACTION, in_transaction)
    url = attributes.get(URL_FULL) or attributes.get(_OLD_URL)
    if isinstance(url, str) and URL_TEMPLATE not in attributes:
        span.set_attribute(URL_TEMPLATE, url_template(url))


def _in_transaction() -> bool | None:
    """Whether a connection of this thread or task is in a transaction; None without Django."""
    database = sys.modules.get("django.db")
    if database is None:
        return None
    connections = database.connections.all(initialized_only=True)
    return any(connection.in_atomic_block for connection in connections)


def note_call(*, timeout_s: float | None, retries: int = 0) -> None:
    """Record on the current call's span how long it may take, None for ever, and a retry's number.

    Without a span of that call, nothing is recorded: the current one is another's.
    """
    span = trace.get_current_span()
    if not isinstance(span, ReadableSpan) or span.kind is not SpanKind.CLIENT:
        return
    attributes = span.attributes or {}
    if not any(name in attributes for name in (*_HTTP, _RPC)):
        return
    span.set_attribute(TIMEOUT_S, NO_TIMEOUT if timeout_s is None else float(timeout_s))
    if retries:
        span.set_attribute(RETRY, retries)


def resolved_timeout_s(timeout: object) -> float | None:
    """Return a timeout: a number of seconds, None, or of anything else the socket's default."""
    if timeout is None:
        return None
    if isinstance(timeout, int | float):
        return float(timeout)
    return socket.getdefaulttimeout()
