"""The span of one statement: what is on it, and what its entry counts."""

import sys
import time
from functools import cache
from typing import Any, Final

from opentelemetry import context, metrics, trace
from opentelemetry.instrumentation._semconv import _set_db_name, _set_db_statement, _set_db_system
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.semconv.attributes.code_attributes import CODE_STACKTRACE
from opentelemetry.semconv.attributes.db_attributes import DB_OPERATION_BATCH_SIZE
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from hotspan_instrumentation.call_stack import format_stack
from hotspan_instrumentation.entry import SPANS_DROPPED, Entry, current_entry
from hotspan_instrumentation.keyed_hash import PARAM_HASH, hash_of_values
from hotspan_instrumentation.orm_query import orm_attributes
from hotspan_instrumentation.settings import current_settings
from hotspan_instrumentation.span_attributes import add_attributes
from hotspan_instrumentation.sql_literals import mask_literals

ALIAS: Final = "hotspan.db.alias"
IN_TRANSACTION: Final = "hotspan.db.in_transaction"
RETURNED_ROWS: Final = "db.response.returned_rows"
DB_QUERIES: Final = "hotspan.db.queries"
DB_TIME_MS: Final = "hotspan.db.time_ms"
DB_ROWS: Final = "hotspan.db.rows"

# Where the integration of Django leaves its connection for us, on the driver's cursor.
DJANGO_CONNECTION_FIELD: Final = "_hotspan_django_connection"

_TEMPLATE_FIELD: Final = "_hotspan_template"

# An N+1 shows by then, and a page without one does not pay for stacks.
_STACK_AT_REPETITION: Final = 5

_NS_PER_MS: Final = 1e6
_MAX_ROWS: Final = 1 << 62  # MySQL's "unknown" is the largest 64-bit number

# What a driver or Django says on its own account is no query of the application's.
_NO_QUERIES: Final = (
    *("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA"),
    *("SELECT SET_CONFIG(", "SET SESSION TRANSACTION", "SET SQL_AUTO_IS_NULL"),
)
_NO_QUERY_CHARS: Final = max(map(len, _NO_QUERIES))

_PARAMETER_KEYWORDS: Final = ("params", "params_seq", "parameters", "args", "vars", "vars_list")


class QuerySpan:
    """A statement's span, from before its execution until after.

    Attributes:
        arguments: What the driver's method is to be called with.

    """

    __slots__ = (
        "_cursor",
        "_entry",
        "_operation",
        "_span",
        "_started_ns",
        "_token",
        "_tracer",
        "arguments",
    )

    def __init__(
        self,
        tracer: Any,  # noqa: ANN401 - a CursorTracer, which is untyped
        cursor: Any,  # noqa: ANN401 - any driver's
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        *,
        many: bool,
    ) -> None:
        integration = tracer._db_api_integration  # noqa: SLF001 - the only way to it
        self._tracer = tracer
        self._cursor = cursor
        self._operation = tracer.get_operation_name(cursor, arguments)
        statement = mask_literals(
            tracer.get_statement(cursor, arguments), database_system=integration.database_system
        )
        self._entry = entry = current_entry()
        repetition = _count(entry, statement.text)
        self._token = None
        if repetition < 0:
            self._span = trace.INVALID_SPAN
        else:
            attributes, text_names = _template(integration)
            attributes = attributes.copy()
            for name in text_names:
                attributes[name] = statement.text
            if repetition == _STACK_AT_REPETITION:
                attributes[CODE_STACKTRACE] = format_stack(sys._getframe(1))  # noqa: SLF001
            _add_parameters(attributes, arguments, keywords, statement.literals, many=many)
            _add_django(attributes, cursor)
            if integration.capture_parameters and len(arguments) > 1:  # opted in by the user's code
                attributes["db.statement.parameters"] = str(arguments[1])
            name = self._operation or integration.database or integration.name
            self._span = integration._tracer.start_span(  # noqa: SLF001 - the only way to it
                name, kind=SpanKind.CLIENT
            )
            if self._span.is_recording():
                add_attributes(self._span, attributes)
            self._token = context.attach(trace.set_span_in_context(self._span))
        if arguments and tracer._commenter_enabled:  # noqa: SLF001 - likewise
            arguments = tracer._update_args_with_added_sql_comment(arguments, cursor)  # noqa: SLF001
        self.arguments = arguments
        self._started_ns = time.perf_counter_ns()

    def end(self, error: BaseException | None = None) -> None:
        """End the span, after an error or without one."""
        elapsed_ns = time.perf_counter_ns() - self._started_ns
        try:
            self._count_time(elapsed_ns)
            if self._span.is_recording():
                if isinstance(error, Exception):
                    set_error(self._span, error)
                elif error is None:
                    self._add_rows()
            self._record_metrics(error, elapsed_ns)
        finally:
            if self._token is not None:
                context.detach(self._token)
                self._span.end()

    def _count_time(self, elapsed_ns: int) -> None:
        if self._entry is not None:
            self._entry.add(DB_TIME_MS, elapsed_ns / _NS_PER_MS)

    def _add_rows(self) -> None:
        rows = getattr(self._cursor, "rowcount", None)
        if isinstance(rows, int) and 0 <= rows < _MAX_ROWS:
            add_attributes(self._span, {RETURNED_ROWS: rows})
            if self._entry is not None:
                self._entry.add(DB_ROWS, rows)

    def _record_metrics(self, error: BaseException | None, elapsed_ns: int) -> None:
        if not _metrics_are_read():
            return
        started_s = time.perf_counter() - elapsed_ns / 1e9
        failure = error if isinstance(error, Exception) else None
        self._tracer._record_metrics(self._cursor, self._operation, started_s, failure)  # noqa: SLF001


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


def _count(entry: Entry | None, statement: str) -> int:
    """Count a statement; return its how-manieth this is, or -1 when it is to have no span."""
    if entry is None or not is_query(statement):
        return 0
    queries = entry.add(DB_QUERIES)
    repetition = entry.count_statement(statement)
    limit = current_settings().query_spans_per_entry
    if limit and queries > limit:
        entry.add(SPANS_DROPPED)
        return -1
    return repetition


def _template(integration: Any) -> tuple[dict[str, AttributeValue], tuple[str, ...]]:  # noqa: ANN401
    """Return a connection's attributes, and the names under which the statement is told."""
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
    if hashed is not None:
        attributes[PARAM_HASH] = hashed


def _add_django(attributes: dict[str, AttributeValue], cursor: Any) -> None:  # noqa: ANN401
    connection = getattr(cursor, DJANGO_CONNECTION_FIELD, None)
    if connection is not None:
        attributes[ALIAS] = connection.alias
        attributes[IN_TRANSACTION] = connection.in_atomic_block
        attributes.update(orm_attributes())
