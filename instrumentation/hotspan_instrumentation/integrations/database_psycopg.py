"""psycopg 3: its instrumentation opens connections in a way of its own.

It does not see server-side cursors, which Django's `.iterator()` uses.
"""

import functools
import time
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from opentelemetry import context

from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.integrations.database import showing_async_connect, showing_connect
from hotspan_instrumentation.server_cursor import ServerCursorSpan
from hotspan_instrumentation.settings import current_settings
from hotspan_instrumentation.traced_cursor import is_suppressed

_TRACER_FIELD: Final = "_hotspan_cursor_tracer"

_FETCHING_METHODS: Final = ("fetchone", "fetchmany", "fetchall")

_spans: weakref.WeakKeyDictionary[Any, ServerCursorSpan] = weakref.WeakKeyDictionary()


def install(module: ModuleType) -> None:
    """Make spans of connections and of server-side cursors."""
    import psycopg  # noqa: PLC0415 - its instrumentation has just imported it

    settings = current_settings()
    integration = module.DatabaseApiIntegration
    if settings.database:
        integration.wrapped_connection = _with_tracer(
            integration.wrapped_connection, module.CursorTracer
        )
        _show_server_cursors(psycopg.ServerCursor)
    if settings.transactions:
        integration.wrapped_connection = showing_connect(integration.wrapped_connection)
        integration = module.DatabaseApiAsyncIntegration
        integration.wrapped_connection = showing_async_connect(integration.wrapped_connection)


def _with_tracer(original: Callable[..., Any], tracer_class: type) -> Callable[..., Any]:
    """Leave what makes spans on each connection, for its server-side cursors."""

    @guarded
    def leave(integration: Any, connection: Any) -> None:  # noqa: ANN401
        setattr(connection, _TRACER_FIELD, tracer_class(integration))

    @functools.wraps(original)
    def wrapped_connection(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - upstream's
        connection = original(self, *args, **kwargs)
        leave(self, connection)
        return connection

    return wrapped_connection


def _show_server_cursors(cursor_class: Any) -> None:  # noqa: ANN401
    cursor_class.execute = _traced_execute(cursor_class.execute)
    cursor_class.close = _traced_close(cursor_class.close)
    for name in _FETCHING_METHODS:
        setattr(cursor_class, name, _traced_fetch(getattr(cursor_class, name)))


def _traced_execute(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def execute(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - psycopg's own signature
        span = _declare(self, args, kwargs)
        if span is None:
            return original(self, *args, **kwargs)
        try:
            result = original(self, *args, **kwargs)
        except BaseException as error:
            _end(span, error)
            raise
        _declared(self, span)
        return result

    return execute


def _traced_fetch(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def fetch(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - psycopg's own signature
        span = _spans.get(self)
        if span is None:
            return original(self, *args, **kwargs)
        started_ns = time.perf_counter_ns()
        result = original(self, *args, **kwargs)
        _fetched(span, result, time.perf_counter_ns() - started_ns)
        return result

    return fetch


def _traced_close(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def close(self: Any) -> Any:  # noqa: ANN401 - psycopg's own signature
        try:
            return original(self)
        finally:
            _close(self)

    return close


@guarded
def _declare(
    cursor: Any,  # noqa: ANN401
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> ServerCursorSpan | None:
    tracer = cursor.connection.__dict__.get(_TRACER_FIELD)
    around = context.get_current()
    if tracer is None or is_suppressed(around):
        return None
    _close(cursor)  # it has been executed before
    return ServerCursorSpan(tracer, cursor, args, kwargs, many=False, around=around)


@guarded
def _declared(cursor: Any, span: ServerCursorSpan) -> None:  # noqa: ANN401
    span.declared()
    _spans[cursor] = span


@guarded
def _fetched(span: ServerCursorSpan, result: object, elapsed_ns: int) -> None:
    rows = len(result) if isinstance(result, list) else int(result is not None)
    span.elapsed_ns += elapsed_ns
    span.rows += rows
    span.fetches += 1


@guarded
def _close(cursor: Any) -> None:  # noqa: ANN401
    span = _spans.pop(cursor, None)
    if span is not None:
        span.close()


_end = guarded(ServerCursorSpan.end)

HOOKS: Final = (("opentelemetry.instrumentation.psycopg", install),)
