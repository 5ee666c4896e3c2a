"""Counting rows where they are fetched, for drivers that do not tell how many there are.

SQLite and the unbuffered cursors of MySQL find rows while they are fetched: their statement's span
stays open until its cursor has no more, is closed, is used again, or is gone.
"""

import functools
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.query_span import QuerySpan

# The statement whose rows are being fetched, on the tracer that each cursor has for itself.
_OPEN_FIELD: Final = "_hotspan_open"

_ONE_ROW: Final = ("fetchone", "__next__")
_MANY_ROWS: Final = ("fetchmany", "fetchall")


def keep_open(tracer: Any, query: QuerySpan) -> None:  # noqa: ANN401 - a CursorTracer, untyped
    """Remember a statement that waits for its rows."""
    setattr(tracer, _OPEN_FIELD, query)


@guarded
def close(tracer: Any, error: BaseException | None = None) -> None:  # noqa: ANN401 - likewise
    """End the span of the statement that waits for its rows, if there is one."""
    query: QuerySpan | None = tracer.__dict__.pop(_OPEN_FIELD, None)
    if query is not None:
        query.close(error)


def show_fetches(proxy: Any) -> None:  # noqa: ANN401 - the class of dbapi's cursors
    """Have the proxies that OpenTelemetry puts around cursors count what is fetched by them."""
    for name in _ONE_ROW:
        setattr(proxy, name, _counted(name, count=_one))
    for name in _MANY_ROWS:
        setattr(proxy, name, _counted(name, count=len))
    proxy.close = _closing
    proxy.__iter__ = _iterated
    # A cursor's execute returns the cursor with some drivers, by which rows are fetched then.
    for name in ("execute", "executemany"):
        setattr(proxy, name, _returning_the_proxy(getattr(proxy, name)))


def _one(row: object) -> int:
    return int(row is not None)


def _counted(name: str, *, count: Callable[[Any], int]) -> Callable[..., Any]:
    def fetch(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any driver's
        method = getattr(self.__wrapped__, name)
        tracer = self._self_cursor_tracer
        query = tracer.__dict__.get(_OPEN_FIELD)
        if query is None:
            return method(*args, **kwargs)
        started_ns = time.perf_counter_ns()
        try:
            result = method(*args, **kwargs)
        except BaseException as error:
            close(tracer, None if isinstance(error, StopIteration) else error)
            raise
        if not fetched(query, result, time.perf_counter_ns() - started_ns):
            close(tracer)
        return result

    @guarded
    def fetched(query: QuerySpan, result: Any, elapsed_ns: int) -> bool:  # noqa: ANN401
        """Count what was fetched; return whether there may be more."""
        rows: int = count(result)
        query.fetched(rows, elapsed_ns)
        return rows > 0 and name != "fetchall"

    fetch.__name__ = name
    return fetch


def _closing(self: Any) -> Any:  # noqa: ANN401 - any driver's
    try:
        return self.__wrapped__.close()
    finally:
        close(self._self_cursor_tracer)


def _iterated(self: Any) -> Iterator[Any]:  # noqa: ANN401 - any driver's
    cursor = self.__wrapped__
    rows = iter(cursor)
    if rows is cursor:
        return self  # type: ignore[no-any-return]  # as the cursor itself does
    return _iterated_apart(self._self_cursor_tracer, rows)


def _iterated_apart(tracer: Any, rows: Iterator[Any]) -> Iterator[Any]:  # noqa: ANN401
    query = tracer.__dict__.get(_OPEN_FIELD)
    for row in rows:
        if query is not None:
            query.fetched(1, 0)
        yield row
    close(tracer)


def _returning_the_proxy(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def execute(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any driver's
        result = original(self, *args, **kwargs)
        return self if result is self.__wrapped__ else result

    return execute
