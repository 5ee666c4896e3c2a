"""The span of one statement: what is on it, and what its entry counts."""

import sys
import time
from functools import cache
from typing import Any, Final

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.semconv.attributes.code_attributes import CODE_STACKTRACE
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.trace import Status, StatusCode

from hotspan_instrumentation.call_stack import format_stack
from hotspan_instrumentation.current_context import attach, detach
from hotspan_instrumentation.direct_span import SPAN_KEY, end_statement, start_statement
from hotspan_instrumentation.entry import SPAN_FIELD, SPANS_DROPPED, Entry
from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.settings import current_settings
from hotspan_instrumentation.statement_attributes import statement_of
from hotspan_instrumentation.statement_facts import RETURNED_ROWS, StatementFacts

# An N+1 shows by then, and a page without one does not pay for stacks.
_STACK_AT_REPETITION: Final = 5
_BEYOND_THE_LIMIT: Final = -1

_MAX_ROWS: Final = 1 << 62  # MySQL's "unknown" is the largest 64-bit number


class QuerySpan:
    """A statement's span, from before its execution until after, or until its rows are fetched.

    Attributes:
        arguments: What the driver's method is to be called with.
        elapsed_ns: While it waits for its rows: how long the database has been at work.
        rows: Likewise: how many have been fetched.
        fetches: Likewise: in how many parts.

    """

    __slots__ = (
        "_cursor",
        "_entry",
        "_facts",
        "_is_open",
        "_span",
        "_started_ns",
        "_statement",
        "_token",
        "_tracer",
        "arguments",
        "elapsed_ns",
        "fetches",
        "rows",
    )

    def __init__(  # noqa: PLR0913 - what a call of the driver's is made of
        self,
        tracer: Any,  # noqa: ANN401 - a CursorTracer, which is untyped
        cursor: Any,  # noqa: ANN401 - any driver's
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        *,
        many: bool,
        around: Context,
        proxy: Any = None,  # noqa: ANN401 - the cursor's
    ) -> None:
        self._is_open = False
        self._tracer = tracer
        self._cursor = cursor
        self._statement = statement = statement_of(tracer, cursor, arguments)
        entry: Entry | None = getattr(around.get(SPAN_KEY), SPAN_FIELD, None)
        if entry is not None and entry.ended:
            entry = None
        self._entry = entry
        repetition = 0
        if entry is not None and statement.is_query:
            queries, repetition = entry.count_query(statement.text)
            limit = current_settings().query_spans_per_entry
            if limit and queries > limit:
                entry.add(SPANS_DROPPED)
                repetition = _BEYOND_THE_LIMIT
        self._token = None
        self._span: trace.Span = trace.INVALID_SPAN
        self._facts: StatementFacts | None = None
        if repetition != _BEYOND_THE_LIMIT:
            integration = tracer._db_api_integration  # noqa: SLF001 - the only way
            self._facts = facts = StatementFacts(statement)
            if repetition == _STACK_AT_REPETITION:
                facts.add({CODE_STACKTRACE: format_stack(sys._getframe(1))})  # noqa: SLF001 - it is fast
            facts.note_parameters(arguments, keywords, many=many)
            facts.note_django(cursor, proxy)
            if integration.capture_parameters and len(arguments) > 1:  # opted in by the user's code
                facts.add({"db.statement.parameters": str(arguments[1])})
            self._span = start_statement(
                integration._tracer,  # noqa: SLF001 - likewise
                statement.operation or integration.database or integration.name,
                facts,
                around=around,
            )
            inside = Context(around)
            dict.__setitem__(inside, SPAN_KEY, self._span)  # it is nobody else's yet
            self._token = attach(inside)
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
            rows = None
            if error is None:
                cursor = self._cursor
                rows = _row_count(cursor)
                # Of psycopg2's named cursors it is known when they are fetched.
                waits = rows is None and fetches_are_seen
                if waits and (cursor.description or getattr(cursor, "name", None)):
                    self.wait_for_rows(elapsed_ns)
                    return True
            self._add_result(elapsed_ns, rows, error)
        finally:
            if not self._is_open and self._token is not None:
                try:
                    detach(self._token)
                finally:
                    end_statement(self._span)
        return False

    def wait_for_rows(self, elapsed_ns: int) -> None:
        """Note that the statement has been executed, and that nothing has been fetched."""
        self._is_open = True
        self.elapsed_ns = elapsed_ns
        self.fetches = 0
        self.rows = 0
        self._tracer = self._cursor = None  # not to hold what holds this
        if self._token is not None:
            detach(self._token)

    def close(self, error: BaseException | None = None) -> None:
        """End the span with all its rows: as long as the database was at work, not its user."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            self._add_result(self.elapsed_ns, self.rows, error)
        finally:
            if self._token is not None:
                started_ns: int = getattr(self._span, "_start_time", None) or time.time_ns()
                end_statement(self._span, started_ns + self.elapsed_ns)

    def _add_result(self, elapsed_ns: int, rows: int | None, error: BaseException | None) -> None:
        if self._entry is not None:
            self._entry.add_result(elapsed_ns, rows)
        if rows is not None and self._facts is not None:
            self._facts.rows = rows
            # Unless its attributes have been made already, that is all.
            made = getattr(self._span, "hotspan_made", self._span)
            if made is not None and self._span.is_recording():
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
        self._tracer._record_metrics(self._cursor, self._statement.operation, started_s, failure)  # noqa: SLF001


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


def _row_count(cursor: Any) -> int | None:  # noqa: ANN401 - any driver's
    """Return how many rows there are, or None where the driver does not say."""
    rows = getattr(cursor, "rowcount", None)
    return rows if isinstance(rows, int) and 0 <= rows < _MAX_ROWS else None
