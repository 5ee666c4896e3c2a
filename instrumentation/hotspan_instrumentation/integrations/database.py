"""Databases: what every driver's spans get that OpenTelemetry instruments through its DB-API.

The stock tracer of cursors is replaced, not wrapped: a span that is started with its attributes
costs less than one that gets them one by one, so that more is recorded in about the same time.
"""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from opentelemetry import context
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from hotspan_instrumentation.connect_span import connect_span
from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.query_span import QuerySpan
from hotspan_instrumentation.settings import current_settings
from hotspan_instrumentation.traced_cursor import (
    counts_rows,
    end,
    is_many,
    is_suppressed,
    run_statement,
    trace_cursors,
)

_start: Callable[..., QuerySpan | None] = guarded(QuerySpan)
_end = guarded(QuerySpan.end)


def install(module: ModuleType) -> None:
    """Replace what makes the spans of statements, and make spans of connections."""
    settings = current_settings()
    if settings.database:
        tracer = module.CursorTracer
        trace_cursors(module.TracedCursorProxy, tracer, tracer.traced_execution)
        # It looks each attribute up twice, in Python, to come to what the proxy does by itself.
        if "__getattribute__" in vars(module.TracedConnectionProxy):
            del module.TracedConnectionProxy.__getattribute__
        tracer.traced_execution = _traced(tracer.traced_execution)
        tracer.traced_execution_async = _traced_async(tracer.traced_execution_async)
    if settings.transactions:
        integration = module.DatabaseApiIntegration
        integration.wrapped_connection = showing_connect(integration.wrapped_connection)


def showing_connect(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap an integration's `wrapped_connection`."""

    @functools.wraps(original)
    def wrapped_connection(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - upstream's
        if not is_instrumentation_enabled():
            return original(self, *args, **kwargs)
        with connect_span(self):
            return original(self, *args, **kwargs)

    return wrapped_connection


def showing_async_connect(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap an asynchronous integration's `wrapped_connection`."""

    @functools.wraps(original)
    async def wrapped_connection(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - upstream's
        if not is_instrumentation_enabled():
            return await original(self, *args, **kwargs)
        with connect_span(self):
            return await original(self, *args, **kwargs)

    return wrapped_connection


def _traced(stock: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(stock)
    def traced_execution(
        self: Any,  # noqa: ANN401 - upstream's
        cursor: Any,  # noqa: ANN401
        query_method: Callable[..., Any],
        *args: Any,  # noqa: ANN401
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        proxy = cursor if counts_rows(cursor) else None
        many = is_many(query_method)
        return run_statement(
            self, cursor, query_method, args, kwargs, many=many, stock=stock, proxy=proxy
        )

    return traced_execution


def _traced_async(stock: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(stock)
    async def traced_execution_async(
        self: Any,  # noqa: ANN401 - upstream's
        cursor: Any,  # noqa: ANN401
        query_method: Callable[..., Any],
        *args: Any,  # noqa: ANN401
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        around = context.get_current()
        if is_suppressed(around):
            return await query_method(*args, **kwargs)
        many = is_many(query_method)
        query = _start(self, cursor, args, kwargs, many=many, around=around)
        if query is None:
            return await stock(self, cursor, query_method, *args, **kwargs)
        try:
            result = await query_method(*query.arguments, **kwargs)
        except BaseException as error:
            end(query, error)
            raise
        _end(query)
        return result

    return traced_execution_async


HOOKS: Final = (("opentelemetry.instrumentation.dbapi", install),)
