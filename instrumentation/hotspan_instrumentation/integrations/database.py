"""Databases: what every driver's spans get that OpenTelemetry instruments through its DB-API.

The stock tracer of cursors is replaced, not wrapped: a span that is started with its attributes
costs less than one that gets them one by one, so that more is recorded in about the same time.
"""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from hotspan_instrumentation.connect_span import connect_span
from hotspan_instrumentation.fetches import close, keep_open, show_fetches
from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.query_span import QuerySpan
from hotspan_instrumentation.settings import current_settings

_start: Callable[..., QuerySpan | None] = guarded(QuerySpan)
_end = guarded(QuerySpan.end)


def install(module: ModuleType) -> None:
    """Replace what makes the spans of statements, and make spans of connections."""
    settings = current_settings()
    if settings.database:
        tracer = module.CursorTracer
        tracer.traced_execution = _traced(tracer.traced_execution, tracer)
        tracer.traced_execution_async = _traced_async(tracer.traced_execution_async)
        show_fetches(module.TracedCursorProxy)
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


def _traced(original: Callable[..., Any], proxied: type) -> Callable[..., Any]:
    """Wrap `traced_execution`; `proxied` is the class of tracers whose cursors are proxies."""

    @functools.wraps(original)
    def traced_execution(
        self: Any,  # noqa: ANN401 - upstream's
        cursor: Any,  # noqa: ANN401
        query_method: Callable[..., Any],
        *args: Any,  # noqa: ANN401
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        is_proxied = type(self) is proxied
        if is_proxied:
            close(self)  # what the cursor was used for before
        if not is_instrumentation_enabled():
            return query_method(*args, **kwargs)
        query = _start(self, cursor, args, kwargs, many=_is_many(query_method))
        if query is None:
            return original(self, cursor, query_method, *args, **kwargs)
        try:
            result = query_method(*query.arguments, **kwargs)
        except BaseException as error:
            _end(query, error)
            raise
        if _end(query, fetches_are_seen=is_proxied):
            keep_open(self, query)
        return result

    return traced_execution


def _traced_async(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def traced_execution_async(
        self: Any,  # noqa: ANN401 - upstream's
        cursor: Any,  # noqa: ANN401
        query_method: Callable[..., Any],
        *args: Any,  # noqa: ANN401
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        if not is_instrumentation_enabled():
            return await query_method(*args, **kwargs)
        query = _start(self, cursor, args, kwargs, many=_is_many(query_method))
        if query is None:
            return await original(self, cursor, query_method, *args, **kwargs)
        try:
            result = await query_method(*query.arguments, **kwargs)
        except BaseException as error:
            _end(query, error)
            raise
        _end(query)
        return result

    return traced_execution_async


def _is_many(query_method: Callable[..., Any]) -> bool:
    return getattr(query_method, "__name__", "") == "executemany"


HOOKS: Final = (("opentelemetry.instrumentation.dbapi", install),)
