"""Django's connections: their alias, whether they are in a transaction, and how that ended.

COMMIT and ROLLBACK are no statements to the drivers: no stock span shows them.
"""

import contextlib
import functools
import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from wrapt import BaseObjectProxy

from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.settings import current_settings
from hotspan_instrumentation.statement_facts import (
    DJANGO_CONNECTION_FIELD,
    connections_of_cursors,
)
from hotspan_instrumentation.transaction_span import TransactionSpan

_SPAN_FIELD: Final = "_hotspan_transaction"


def install_connection(module: ModuleType) -> None:
    """Note on each cursor which of Django's connections it belongs to; time commits."""
    connection = module.BaseDatabaseWrapper
    settings = current_settings()
    if settings.database:
        connection._prepare_cursor = _noting_connection(connection._prepare_cursor)  # noqa: SLF001
    if settings.transactions:
        connection._commit = _timed(connection._commit, "commit")  # noqa: SLF001
        connection._rollback = _timed(connection._rollback, "rollback")  # noqa: SLF001
        connection.run_and_clear_commit_hooks = _timed_hooks(connection.run_and_clear_commit_hooks)


def install_transaction(module: ModuleType) -> None:
    """Make a span of each outermost `atomic` block."""
    if not current_settings().transactions:
        return
    atomic = module.Atomic
    atomic.__enter__ = _entering(atomic.__enter__, module.get_connection)
    atomic.__exit__ = _exiting(atomic.__exit__, module.get_connection)


def _noting_connection(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def prepare_cursor(self: Any, cursor: Any) -> Any:  # noqa: ANN401 - Django's own signature
        # MySQL's and Oracle's backends put a cursor of their own around the driver's, and
        # OpenTelemetry a proxy, whose attributes are the driver's.
        inner = cursor if isinstance(cursor, BaseObjectProxy) else getattr(cursor, "cursor", cursor)
        try:
            setattr(inner, DJANGO_CONNECTION_FIELD, self)
        except Exception:  # noqa: BLE001 - a driver whose cursors take none
            note(inner, self)
        return original(self, cursor)

    @guarded
    def note(cursor: Any, connection: Any) -> None:  # noqa: ANN401 - any driver's
        with contextlib.suppress(TypeError):  # not by a weak reference either: no alias then
            connections_of_cursors[cursor] = connection

    return prepare_cursor


def _entering(
    original: Callable[..., Any], get_connection: Callable[..., Any]
) -> Callable[..., Any]:
    @guarded
    def is_outermost(atomic: Any) -> bool:  # noqa: ANN401
        return not get_connection(atomic.using).in_atomic_block

    @guarded
    def begin(atomic: Any, started_ns: int) -> None:  # noqa: ANN401
        connection = get_connection(atomic.using)
        frame = sys._getframe(2)  # noqa: SLF001 - nothing else is as fast
        span = TransactionSpan.start(alias=connection.alias, started_ns=started_ns, frame=frame)
        connection.__dict__[_SPAN_FIELD] = span

    @functools.wraps(original)
    def enter(self: Any) -> Any:  # noqa: ANN401 - Django's own signature
        if not is_outermost(self):
            return original(self)
        started_ns = time.time_ns()
        result = original(self)
        begin(self, started_ns)
        return result

    return enter


def _exiting(
    original: Callable[..., Any], get_connection: Callable[..., Any]
) -> Callable[..., Any]:
    @guarded
    def end(atomic: Any) -> None:  # noqa: ANN401
        connection = get_connection(atomic.using)
        if connection.in_atomic_block:
            return
        span = connection.__dict__.pop(_SPAN_FIELD, None)
        if span is not None:
            span.end()

    @functools.wraps(original)
    def leave(self: Any, exc_type: Any, exc_value: Any, traceback: Any) -> Any:  # noqa: ANN401 - Django's
        try:
            return original(self, exc_type, exc_value, traceback)
        finally:
            end(self)

    return leave


def _timed(original: Callable[..., Any], outcome: str) -> Callable[..., Any]:
    @guarded
    def note(connection: Any, elapsed_ns: int) -> None:  # noqa: ANN401
        span: TransactionSpan | None = connection.__dict__.get(_SPAN_FIELD)
        if span is not None:
            span.finish(outcome, elapsed_ns)

    @functools.wraps(original)
    def finish(self: Any) -> Any:  # noqa: ANN401 - Django's own signature
        started_ns = time.perf_counter_ns()
        result = original(self)
        note(self, time.perf_counter_ns() - started_ns)
        return result

    return finish


def _timed_hooks(original: Callable[..., Any]) -> Callable[..., Any]:
    @guarded
    def note(connection: Any, hooks: int, elapsed_ns: int) -> None:  # noqa: ANN401
        span: TransactionSpan | None = connection.__dict__.get(_SPAN_FIELD)
        if span is not None:
            span.add_hooks(hooks, elapsed_ns)

    @functools.wraps(original)
    def run(self: Any) -> Any:  # noqa: ANN401 - Django's own signature
        hooks = len(self.run_on_commit)
        if not hooks:
            return original(self)
        started_ns = time.perf_counter_ns()
        try:
            return original(self)
        finally:
            note(self, hooks, time.perf_counter_ns() - started_ns)

    return run


HOOKS: Final = (
    ("django.db.backends.base.base", install_connection),
    ("django.db.transaction", install_transaction),
)
