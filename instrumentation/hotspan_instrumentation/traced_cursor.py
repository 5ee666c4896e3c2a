"""What a driver's cursor does under our instrumentation: statements have spans, rows are counted.

SQLite and the unbuffered cursors of MySQL find rows while they are fetched and tell no number: the
span of a statement stays open until its cursor has no more, is closed, is used again, or is gone.

This is the hot path. Its guards are written out, and each cursor keeps what belongs to it.
"""

from collections.abc import Callable, Iterator
from time import perf_counter_ns
from typing import Any, Final

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, Context
from opentelemetry.instrumentation.utils import _SUPPRESS_INSTRUMENTATION_KEY_PLAIN

from hotspan_instrumentation.current_context import get_current
from hotspan_instrumentation.guard import report_failure
from hotspan_instrumentation.query_span import QuerySpan

_TRACER_FIELD: Final = "_hotspan_cursor_tracer"
_NAME: Final = f"{QuerySpan.__module__}.{QuerySpan.__qualname__}"


def run_statement(  # noqa: PLR0913 - what a call of the driver's is made of
    tracer: Any,  # noqa: ANN401 - a CursorTracer, which is untyped
    cursor: Any,  # noqa: ANN401 - any driver's
    method: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    many: bool,
    stock: Callable[..., Any],
    proxy: Any = None,  # noqa: ANN401 - the cursor's, if its fetches are seen
) -> Any:  # noqa: ANN401
    """Execute a statement with a span of ours, or of `stock` if ours cannot be made."""
    around = get_current()
    if around.get(_SUPPRESS_INSTRUMENTATION_KEY) or around.get(_SUPPRESS_INSTRUMENTATION_KEY_PLAIN):
        return method(*args, **kwargs)
    try:
        query = QuerySpan(tracer, cursor, args, kwargs, many=many, around=around, proxy=proxy)
    except Exception:  # noqa: BLE001 - a guard without a call more
        report_failure(_NAME)
        return stock(tracer, cursor, method, *args, **kwargs)
    try:
        result = method(*query.arguments, **kwargs)
    except BaseException as error:
        end(query, error)
        raise
    try:
        if query.end(fetches_are_seen=proxy is not None):
            proxy._self_hotspan_open = query  # noqa: SLF001 - as wrapt's proxies name their own
    except Exception:  # noqa: BLE001 - likewise
        report_failure(f"{_NAME}.end")
    return result


def is_suppressed(around: Context) -> bool:
    """Whether somebody has said that nothing is to be instrumented here."""
    return bool(
        around.get(_SUPPRESS_INSTRUMENTATION_KEY) or around.get(_SUPPRESS_INSTRUMENTATION_KEY_PLAIN)
    )


def is_many(method: Callable[..., Any]) -> bool:
    """Whether a method of a cursor runs a statement for each of many sets of parameters."""
    return getattr(method, "__name__", "") == "executemany"


def end(query: QuerySpan, error: BaseException) -> None:
    """End a statement that has failed."""
    try:
        query.end(error)
    except Exception:  # noqa: BLE001 - likewise
        report_failure(f"{_NAME}.end")


def trace_cursors(proxy: Any, tracer_class: Any, stock: Callable[..., Any]) -> None:  # noqa: ANN401
    """Have the proxies that OpenTelemetry puts around cursors run statements and count rows."""
    initialise = proxy.__init__
    proxy_base = proxy.__mro__[1]

    def __init__(self: Any, cursor: Any, db_api_integration: Any) -> None:  # noqa: ANN401, N807
        shared = db_api_integration.__dict__.get(_TRACER_FIELD)
        if shared is None:  # stock makes one for each cursor, at the cost of a statement
            shared = tracer_class(db_api_integration)
            db_api_integration.__dict__[_TRACER_FIELD] = shared
        proxy_base.__init__(self, cursor)
        self._self_cursor_tracer = shared

    __init__.__wrapped__ = initialise  # type: ignore[attr-defined]  # as functools.wraps does
    proxy.__init__ = __init__
    proxy._self_hotspan_open = None  # noqa: SLF001 - as wrapt's proxies name their own
    for name in ("execute", "executemany", "callproc"):
        setattr(proxy, name, _executing(name, stock))
    for name in ("fetchone", "__next__"):
        setattr(proxy, name, _counting(name, count=_one))
    for name in ("fetchmany", "fetchall"):
        setattr(proxy, name, _counting(name, count=len))
    proxy.close = _closing
    proxy.__iter__ = _iterating


def counting_class(base: Any) -> type:  # noqa: ANN401 - psycopg2's class of cursors
    """Return a class of cursors that count the rows of those on the server, which have names."""

    class CountingCursor(base):  # type: ignore[misc]  # known at run time only
        _self_hotspan_open: QuerySpan | None = None

        @property
        def __wrapped__(self) -> Any:  # noqa: ANN401 - as a proxy has what it stands for
            return super()

        def __iter__(self) -> Any:  # noqa: ANN401 - itself
            return self

    for name in ("fetchone", "__next__"):
        setattr(CountingCursor, name, _counting(name, count=_one))
    for name in ("fetchmany", "fetchall"):
        setattr(CountingCursor, name, _counting(name, count=len))
    CountingCursor.close = _closing
    return CountingCursor


def counts_rows(cursor: Any) -> bool:  # noqa: ANN401 - any driver's
    """Whether a cursor is such a one, on the server."""
    return hasattr(type(cursor), "_self_hotspan_open") and cursor.name is not None


def _executing(name: str, stock: Callable[..., Any]) -> Callable[..., Any]:
    many = name == "executemany"

    def execute(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any driver's
        cursor = self.__wrapped__
        if self._self_hotspan_open is not None:
            _close(self)
        method = getattr(cursor, name)
        tracer = self._self_cursor_tracer
        result = run_statement(
            tracer, cursor, method, args, kwargs, many=many, stock=stock, proxy=self
        )
        # With some drivers it returns the cursor, by which rows are fetched then.
        return self if result is cursor else result

    execute.__name__ = name
    return execute


def _counting(name: str, *, count: Callable[[Any], int]) -> Callable[..., Any]:
    is_last = name == "fetchall"

    def fetch(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any driver's
        method = getattr(self.__wrapped__, name)
        query: QuerySpan | None = self._self_hotspan_open
        if query is None:
            return method(*args, **kwargs)
        started_ns = perf_counter_ns()
        try:
            result = method(*args, **kwargs)
        except BaseException as error:
            _close(self, None if isinstance(error, StopIteration) else error)
            raise
        try:
            rows = count(result)
            query.elapsed_ns += perf_counter_ns() - started_ns
            query.rows += rows
            query.fetches += 1
            # Less than was asked for is the last.
            if is_last or not rows or (args and name == "fetchmany" and rows < args[0]):
                _close(self)
        except Exception:  # noqa: BLE001 - a guard without a call more
            report_failure(f"{_NAME}.fetched")
        return result

    fetch.__name__ = name
    return fetch


def _one(row: object) -> int:
    return int(row is not None)


def _close(proxy: Any, error: BaseException | None = None) -> None:  # noqa: ANN401
    """End the span of the statement that waits for its rows."""
    query, proxy._self_hotspan_open = proxy._self_hotspan_open, None  # noqa: SLF001 - as wrapt's
    try:
        query.close(error)
    except Exception:  # noqa: BLE001 - likewise
        report_failure(f"{_NAME}.close")


def _closing(self: Any) -> Any:  # noqa: ANN401 - any driver's
    try:
        return self.__wrapped__.close()
    finally:
        if self._self_hotspan_open is not None:
            _close(self)


def _iterating(self: Any) -> Iterator[Any]:  # noqa: ANN401 - any driver's
    cursor = self.__wrapped__
    rows = iter(cursor)
    if rows is cursor:
        return self  # type: ignore[no-any-return]  # as the cursor itself does
    return _iterated(self, rows)


def _iterated(proxy: Any, rows: Iterator[Any]) -> Iterator[Any]:  # noqa: ANN401
    for row in rows:
        query = proxy._self_hotspan_open  # noqa: SLF001 - as wrapt's
        if query is not None:
            query.rows += 1
            query.fetches += 1
        yield row
    if proxy._self_hotspan_open is not None:  # noqa: SLF001
        _close(proxy)
