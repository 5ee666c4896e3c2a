"""The span of one statement: what is on it, and what its entry counts."""

import contextlib
import sys
import time
import weakref
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from opentelemetry import context, metrics, trace
from opentelemetry.instrumentation._semconv import _set_db_name, _set_db_statement, _set_db_system
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.semconv.attributes.code_attributes import CODE_STACKTRACE
from opentelemetry.semconv.attributes.db_attributes import DB_OPERATION_BATCH_SIZE
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.trace import Status, StatusCode
from opentelemetry.util.types import AttributeValue

from hotspan_instrumentation.call_stack import format_stack
from hotspan_instrumentation.direct_span import SPAN_KEY, end_statement, is_direct, start_statement
from hotspan_instrumentation.entry import SPANS_DROPPED, Entry, entry_of
from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.keyed_hash import (
    PARAM_HASH,
    PARAM_HASHES,
    hash_of_values,
    hashes_of_values,
)
from hotspan_instrumentation.orm_query import add_orm_attributes
from hotspan_instrumentation.settings import current_settings
from hotspan_instrumentation.sql_literals import mask_literals

ALIAS: Final = "hotspan.db.alias"
IN_TRANSACTION: Final = "hotspan.db.in_transaction"
SAVEPOINTS: Final = "hotspan.db.savepoints"
RETURNED_ROWS: Final = "db.response.returned_rows"

# Where the integration of Django leaves its connection for us, on the driver's cursor.
DJANGO_CONNECTION_FIELD: Final = "_hotspan_django_connection"

# Where it leaves it for cursors that take no attributes: psycopg's server-side ones of Django 4.2.
connections_of_cursors: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()

_TEMPLATE_FIELD: Final = "_hotspan_template"

# An N+1 shows by then, and a page without one does not pay for stacks.
_STACK_AT_REPETITION: Final = 5

_NS_PER_MS: Final = 1e6
_MAX_ROWS: Final = 1 << 62  # MySQL's "unknown" is the largest 64-bit number

# Statements come back, thousands of times: what was found out about them is kept.
_MAX_REMEMBERED: Final = 2000
_MAX_REMEMBERED_CHARS: Final = 20_000

# What a driver or Django says on its own account is no query of the application's.
_NO_QUERIES: Final = (
    *("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA"),
    *("SELECT SET_CONFIG(", "SELECT VERSION(),", "SET SESSION TRANSACTION"),
    "SET SQL_AUTO_IS_NULL",
)
_NO_QUERY_CHARS: Final = max(map(len, _NO_QUERIES))

_PARAMETER_KEYWORDS: Final = ("params", "params_seq", "parameters", "args", "vars", "vars_list")


@dataclass(frozen=True, slots=True)
class _Statement:
    """What is known of a statement by its text."""

    operation: str
    text: str
    literals: tuple[str, ...]
    is_query: bool


class QuerySpan:
    """A statement's span, from before its execution until after, or until its rows are fetched.

    Attributes:
        arguments: What the driver's method is to be called with.

    """

    __slots__ = (
        "_attributes",
        "_cursor",
        "_elapsed_ns",
        "_entry",
        "_fetches",
        "_integration",
        "_is_open",
        "_operation",
        "_rows",
        "_span",
        "_started_ns",
        "_token",
        "_tracer",
        "arguments",
    )

    def __init__(  # noqa: PLR0913 - what a call of the driver's is made of
        self,
        tracer: Any,  # noqa: ANN401 - a CursorTracer, which is untyped
        cursor: Any,  # noqa: ANN401 - any driver's
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        *,
        many: bool,
        around: context.Context,
    ) -> None:
        self._is_open = False
        self._integration = integration = tracer._db_api_integration  # noqa: SLF001 - the only way
        self._tracer = tracer
        self._cursor = cursor
        statement = _statement(tracer, cursor, arguments, integration.database_system)
        self._operation = statement.operation
        self._entry = entry = entry_in(around)
        repetition = _count(entry, statement)
        self._token = None
        self._span: trace.Span = trace.INVALID_SPAN
        if repetition >= 0:
            fixed, text_names = _template(integration)
            attributes = fixed.copy()
            for name in text_names:
                attributes[name] = statement.text
            frame = sys._getframe(1)  # noqa: SLF001 - nothing else is as fast
            if repetition == _STACK_AT_REPETITION:
                attributes[CODE_STACKTRACE] = format_stack(frame)
            _add_parameters(attributes, arguments, keywords, statement.literals, many=many)
            _add_django(attributes, cursor)
            if integration.capture_parameters and len(arguments) > 1:  # opted in by the user's code
                attributes["db.statement.parameters"] = str(arguments[1])
            self._attributes = attributes
            self._span = start_statement(
                integration._tracer,  # noqa: SLF001 - likewise
                statement.operation or integration.database or integration.name,
                attributes,
                around=around,
                frame=frame,
            )
            self._token = context.attach(context.Context({**around, SPAN_KEY: self._span}))
        if arguments and tracer._commenter_enabled:  # noqa: SLF001 - likewise
            arguments = tracer._update_args_with_added_sql_comment(arguments, cursor)  # noqa: SLF001
        self.arguments = arguments
        self._started_ns = time.perf_counter_ns()

    def end(self, error: BaseException | None = None, *, fetches_are_seen: bool = False) -> bool:
        """End the span, after an error or without one, and return False.

        If the driver has rows and does not tell how many, and `fetches_are_seen`, it stays open
        until it is closed, and True is returned.
        """
        elapsed_ns = time.perf_counter_ns() - self._started_ns
        try:
            if _metrics_are_read():
                self._record_metrics(error, elapsed_ns)
            rows = _row_count(self._cursor) if error is None else None
            if rows is None and error is None and fetches_are_seen and _has_rows(self._cursor):
                self.wait_for_rows(elapsed_ns)
                return True
            self._add_result(elapsed_ns, rows, error)
        finally:
            if not self._is_open and self._token is not None:
                context.detach(self._token)
                end_statement(self._integration._tracer, self._span)  # noqa: SLF001 - likewise
        return False

    def wait_for_rows(self, elapsed_ns: int) -> None:
        """Note that the statement has been executed, and that nothing has been fetched."""
        self._is_open = True
        self._elapsed_ns = elapsed_ns
        self._fetches = 0
        self._rows = 0
        self._tracer = self._cursor = None  # not to hold what holds this
        if self._token is not None:
            context.detach(self._token)

    def fetched(self, rows: int, elapsed_ns: int) -> None:
        """Add what has been fetched."""
        self._elapsed_ns += elapsed_ns
        self._rows += rows
        self._fetches += 1

    def close(self, error: BaseException | None = None) -> None:
        """End the span with all its rows: as long as the database was at work, not its user."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            self._add_result(self._elapsed_ns, self._rows, error)
        finally:
            if self._token is not None:
                started_ns: int = getattr(self._span, "start_time", None) or time.time_ns()
                tracer = self._integration._tracer  # noqa: SLF001 - likewise
                end_statement(tracer, self._span, started_ns + self._elapsed_ns)

    def _add_result(self, elapsed_ns: int, rows: int | None, error: BaseException | None) -> None:
        if self._entry is not None:
            self._entry.add_result(time_ms=elapsed_ns / _NS_PER_MS, rows=rows)
        if rows is not None:
            if is_direct(self._span):
                self._attributes[RETURNED_ROWS] = rows
            elif self._span.is_recording():
                self._span.set_attribute(RETURNED_ROWS, rows)
        if error is not None and isinstance(error, Exception) and self._span.is_recording():
            set_error(self._span, error)

    def __del__(self) -> None:
        # Its cursor has gone without having been closed.
        if getattr(self, "_is_open", False):
            _close_left_open(self)

    def _record_metrics(self, error: BaseException | None, elapsed_ns: int) -> None:
        started_s = time.perf_counter() - elapsed_ns / 1e9
        failure = error if isinstance(error, Exception) else None
        self._tracer._record_metrics(self._cursor, self._operation, started_s, failure)  # noqa: SLF001


_close_left_open = guarded(QuerySpan.close)


@cache
def _metrics_are_read() -> bool:
    """Whether anybody would see OpenTelemetry's metrics of statements."""
    provider = metrics.get_meter_provider()
    if not isinstance(provider, MeterProvider):
        return True
    return bool(getattr(provider, "_metric_readers", True))  # there is no public way


def set_error(span: trace.Span, error: Exception) -> None:
    """Say that a call has failed, as OpenTelemetry does, and with what."""
    kind = type(error)
    span.record_exception(error)
    span.set_attribute(ERROR_TYPE, f"{kind.__module__}.{kind.__qualname__}")
    span.set_status(Status(StatusCode.ERROR, f"{kind.__name__}: {error}"))


def is_query(statement: str) -> bool:
    """Whether a statement is the application's, not the driver's or Django's own."""
    return not statement[:_NO_QUERY_CHARS].upper().startswith(_NO_QUERIES)


def database_attributes(integration: Any) -> dict[str, AttributeValue]:  # noqa: ANN401
    """Return a copy of what is the same for all statements of a connection."""
    return _template(integration)[0].copy()


def entry_in(around: context.Context) -> Entry | None:
    """Return the entry that is at work in a context, or None."""
    span: Any = around.get(SPAN_KEY)
    entry = entry_of(span)
    return None if entry is None or entry.ended else entry


_statements: dict[tuple[str, str, type], _Statement] = {}


def _statement(tracer: Any, cursor: Any, arguments: tuple[Any, ...], system: str) -> _Statement:  # noqa: ANN401
    """Return what is known of a statement, found out at its first execution."""
    given = arguments[0] if arguments else ""
    if type(given) is not str or len(given) > _MAX_REMEMBERED_CHARS:
        return _analyse(tracer, cursor, arguments, system)
    key = (given, system, type(tracer))
    known = _statements.get(key)
    if known is None:
        if len(_statements) >= _MAX_REMEMBERED:
            _statements.clear()
        known = _statements[key] = _analyse(tracer, cursor, arguments, system)
    return known


def _analyse(tracer: Any, cursor: Any, arguments: tuple[Any, ...], system: str) -> _Statement:  # noqa: ANN401
    masked = mask_literals(tracer.get_statement(cursor, arguments), database_system=system)
    operation = tracer.get_operation_name(cursor, arguments)
    return _Statement(operation, masked.text, masked.literals, is_query(masked.text))


def _count(entry: Entry | None, statement: _Statement) -> int:
    """Count a statement; return its how-manieth this is, or -1 when it is to have no span."""
    if entry is None or not statement.is_query:
        return 0
    queries, repetition = entry.count_query(statement.text)
    limit = current_settings().query_spans_per_entry
    if limit and queries > limit:
        entry.add(SPANS_DROPPED)
        return -1
    return repetition


def _row_count(cursor: Any) -> int | None:  # noqa: ANN401 - any driver's
    """Return how many rows there are, or None where the driver does not say."""
    rows = getattr(cursor, "rowcount", None)
    return rows if isinstance(rows, int) and 0 <= rows < _MAX_ROWS else None


def _has_rows(cursor: Any) -> bool:  # noqa: ANN401 - likewise
    """Whether a statement returns rows; of psycopg2's named cursors that is known when they do."""
    return bool(cursor.description or getattr(cursor, "name", None))


def _template(integration: Any) -> tuple[dict[str, AttributeValue], tuple[str, ...]]:  # noqa: ANN401
    """Return the attributes of a connection's statements, and the names that their text has."""
    template: tuple[dict[str, AttributeValue], tuple[str, ...]] | None
    template = integration.__dict__.get(_TEMPLATE_FIELD)
    if template is None:
        mode = integration._sem_conv_opt_in_mode_db  # noqa: SLF001 - no public way
        attributes: dict[str, AttributeValue] = {}
        _set_db_system(attributes, integration.database_system, mode)
        _set_db_name(attributes, integration.database, mode)
        attributes.update(integration.span_attributes)
        texts: dict[str, AttributeValue] = {}
        _set_db_statement(texts, "", mode)
        template = attributes, tuple(texts)
        setattr(integration, _TEMPLATE_FIELD, template)
    return template


def _add_parameters(
    attributes: dict[str, AttributeValue],
    arguments: tuple[Any, ...],
    keywords: dict[str, Any],
    literals: tuple[str, ...],
    *,
    many: bool,
) -> None:
    parameters = arguments[1] if len(arguments) > 1 else None
    if parameters is None and keywords:
        given = (keywords[name] for name in _PARAMETER_KEYWORDS if name in keywords)
        parameters = next(given, None)
    if many:
        # A generator must not be consumed; and a batch of one is none, by the convention.
        if isinstance(parameters, (list, tuple)) and len(parameters) > 1:
            attributes[DB_OPERATION_BATCH_SIZE] = len(parameters)
        return
    hashed = hash_of_values(parameters, literals=literals)
    if hashed is None:
        return
    attributes[PARAM_HASH] = hashed
    if current_settings().param_hashes:
        hashes = hashes_of_values(parameters)
        if hashes is not None:
            attributes[PARAM_HASHES] = hashes


def _add_django(attributes: dict[str, AttributeValue], cursor: Any) -> None:  # noqa: ANN401
    connection = getattr(cursor, DJANGO_CONNECTION_FIELD, None)
    if connection is None and connections_of_cursors:
        with contextlib.suppress(TypeError):  # it cannot be referred to weakly, and is not there
            connection = connections_of_cursors.get(cursor)
    if connection is not None:
        attributes[ALIAS] = connection.alias
        attributes[IN_TRANSACTION] = connection.in_atomic_block
        if connection.savepoint_ids:  # None for an inner `atomic` without a savepoint
            attributes[SAVEPOINTS] = sum(each is not None for each in connection.savepoint_ids)
        add_orm_attributes(attributes)
