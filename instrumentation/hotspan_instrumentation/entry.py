"""The entry that a span belongs to, and what is counted for it.

An entry is the span by which work enters this process: a request, a task, a command. What is
counted is written on its span when that ends, so that it is right also when spans of single
queries are sampled away, dropped from a full queue, or were never made.

To count something where it happens::

    entry = current_entry()
    if entry is not None:
        entry.add("hotspan.http.calls")
        entry.add("hotspan.http.time_ms", 12.5)
"""

import heapq
import threading
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor
from opentelemetry.trace import SpanKind
from opentelemetry.util.types import AttributeValue

from hotspan_instrumentation import guard
from hotspan_instrumentation.attribute_group import AttributeGroup
from hotspan_instrumentation.cpu_time import CpuTimer
from hotspan_instrumentation.dropped_spans import take_dropped_spans
from hotspan_instrumentation.span_attributes import add_attributes

ENTRY_SPAN_ID: Final = "hotspan.entry.span_id"
CPU_MS: Final = "hotspan.cpu_ms"
RUN_DELAY_MS: Final = "hotspan.run_delay_ms"
# Less explains nothing.
RUN_DELAY_FROM_MS: Final = 20
DB_QUERIES: Final = "hotspan.db.queries"
DB_TIME_MS: Final = "hotspan.db.time_ms"
DB_ROWS: Final = "hotspan.db.rows"
DB_DISTINCT: Final = "hotspan.db.distinct"
DB_REPEATED: Final = "hotspan.db.repeated"
DB_TOP_STATEMENTS: Final = "hotspan.db.top_statements"
DB_TOP_COUNTS: Final = "hotspan.db.top_counts"
SPANS_DROPPED: Final = "hotspan.spans_dropped"

# An entry that makes ever new statements does not fill the memory with them.
MAX_DISTINCT_STATEMENTS: Final = 1000

# The statements that are repeated most are told by name: so many, with so much of their texts.
MAX_TOP_STATEMENTS: Final = 3
MAX_TOP_STATEMENT_CHARS: Final = 1000

# Where a span of this process has its entry.
SPAN_FIELD: Final = "_hotspan_entry"
_NS_PER_MS: Final = 1e6
_REMOTE_WORK: Final = frozenset({SpanKind.SERVER, SpanKind.CONSUMER})


class Entry:
    """One request, task or command in this process. Safe to use from several threads.

    It is held by its spans, and by nothing else: it goes when they do.

    Attributes:
        span_id: The id of its span.
        span_id_hex: The same as it is written.
        kind: The kind of its span.
        group: What spans say that belong to it.
        ended: Whether its span has ended: what is counted now comes too late.

    """

    __slots__ = (
        "_attributes",
        "_cpu_timer",
        "_db_rows",
        "_db_time_ns",
        "_lock",
        "_queries",
        "_statements",
        "ended",
        "group",
        "kind",
        "span_id",
        "span_id_hex",
    )

    def __init__(self, *, span_id: int, kind: SpanKind) -> None:
        self.span_id = span_id
        self.span_id_hex = f"{span_id:016x}"
        self.kind = kind
        self._attributes: dict[str, AttributeValue] = {}
        self.group = AttributeGroup({ENTRY_SPAN_ID: self.span_id_hex})
        self._queries = 0
        self._db_time_ns = 0
        self._db_rows: int | None = None
        self._statements: dict[str, int] = {}
        self._lock = threading.Lock()
        self.ended = False
        self._cpu_timer = CpuTimer()

    def add(self, counter: str, value: float = 1) -> float:
        """Add to a counter, an attribute of the entry's span when that ends; return its value."""
        attributes: dict[str, Any] = self._attributes
        with self._lock:
            total: float = attributes.get(counter, 0) + value
            attributes[counter] = total
        return total

    def add_all(self, counters: Mapping[str, float]) -> None:
        """Add to several counters at once."""
        attributes: dict[str, Any] = self._attributes
        with self._lock:
            for counter, value in counters.items():
                attributes[counter] = attributes.get(counter, 0) + value

    def counted(self, counter: str) -> float:
        """Return a counter's value as it is now."""
        if counter == DB_QUERIES:
            return self._queries
        attributes: dict[str, Any] = self._attributes
        value: float = attributes.get(counter, 0)
        return value

    def set(self, name: str, value: AttributeValue) -> None:
        """Set an attribute that the entry's span gets when it ends."""
        with self._lock:
            self._attributes[name] = value

    def mark(self, name: str) -> None:
        """Set an attribute to true without a lock: a signal's handler may interrupt its holder."""
        self._attributes[name] = True

    def count_query(self, statement: str) -> tuple[int, int]:
        """Count a query; return how many there have been, and how many with this statement.

        Of the statements beyond `MAX_DISTINCT_STATEMENTS` none is remembered: each looks new.
        """
        statements = self._statements
        with self._lock:
            self._queries = queries = self._queries + 1
            times = statements.get(statement, 0) + 1
            if times > 1 or len(statements) < MAX_DISTINCT_STATEMENTS:
                statements[statement] = times
        return queries, times

    def add_result(self, elapsed_ns: int, rows: int | None) -> None:
        """Count how long the database was at work, and the rows it returned if that is known."""
        with self._lock:
            self._db_time_ns += elapsed_ns
            if rows is not None:
                self._db_rows = rows + (self._db_rows or 0)

    def end(self) -> dict[str, AttributeValue]:
        """Return what its span gets at its end."""
        with self._lock:
            self.ended = True
            attributes: dict[str, Any] = self._attributes
            attributes.update(self._database_counters())
            self._attributes, self._statements = {}, {}
        cpu_ms = self._cpu_timer.stop()
        if cpu_ms is not None:
            attributes[CPU_MS] = cpu_ms
        run_delay_ms = self._cpu_timer.run_delay_ms
        if run_delay_ms is not None and run_delay_ms >= RUN_DELAY_FROM_MS:
            attributes[RUN_DELAY_MS] = run_delay_ms
        dropped = attributes.get(SPANS_DROPPED, 0) + take_dropped_spans()
        if dropped:
            attributes[SPANS_DROPPED] = dropped
        return attributes

    def _database_counters(self) -> dict[str, AttributeValue]:
        counters = _repetitions(self._statements)
        if self._queries:
            counters[DB_QUERIES] = self._queries
        if self._db_time_ns:
            counters[DB_TIME_MS] = self._db_time_ns / _NS_PER_MS
        if self._db_rows is not None:
            counters[DB_ROWS] = self._db_rows
        return counters


def entry_of(span: trace.Span) -> Entry | None:
    """Return the entry that a span of this process belongs to, also when it has ended."""
    return getattr(span, SPAN_FIELD, None)


def current_entry() -> Entry | None:
    """Return the entry that is at work here, or None: outside of one, or when it has ended."""
    entry: Entry | None = getattr(trace.get_current_span(), SPAN_FIELD, None)
    return None if entry is None or entry.ended else entry


class EntryProcessor(SpanProcessor):
    """Tell each span its entry, and an entry's span what was counted."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        try:
            entry = _find(span, trace.get_current_span(parent_context))
            if entry is not None:
                span.__dict__[SPAN_FIELD] = entry
                add_attributes(span, {ENTRY_SPAN_ID: entry.span_id_hex})
        except Exception:  # noqa: BLE001 - a guard without a call more
            guard.report_failure(f"{__name__}.{EntryProcessor.__qualname__}")

    def _on_ending(self, span: Span) -> None:
        try:
            entry: Entry | None = getattr(span, SPAN_FIELD, None)
            if entry is not None and entry.span_id == span.get_span_context().span_id:
                change_attributes(span._attributes, entry.end())  # noqa: SLF001
        except Exception:  # noqa: BLE001 - likewise
            guard.report_failure(f"{__name__}.{EntryProcessor.__qualname__}")


def change_attributes(bounded: Any, attributes: Mapping[str, AttributeValue]) -> None:  # noqa: ANN401
    """Change attributes of a span that is ending: the SDK allows no more, and has not read them.

    To be called in a processor's `_on_ending` only.
    """
    immutable, bounded._immutable = bounded._immutable, False  # noqa: SLF001 - no public way
    try:
        bounded._set_items(attributes)  # noqa: SLF001
    finally:
        bounded._immutable = immutable  # noqa: SLF001


def _repetitions(statements: Mapping[str, int]) -> dict[str, AttributeValue]:
    """Return how many statements there were, how many came again, and which of them most often."""
    if not statements:
        return {}
    counted: dict[str, AttributeValue] = {DB_DISTINCT: len(statements)}
    repeated = {text: times for text, times in statements.items() if times > 1}
    if repeated:
        top = heapq.nlargest(MAX_TOP_STATEMENTS, repeated.items(), key=lambda item: item[1])
        counted[DB_REPEATED] = sum(repeated.values()) - len(repeated)
        counted[DB_TOP_STATEMENTS] = tuple(text[:MAX_TOP_STATEMENT_CHARS] for text, _ in top)
        counted[DB_TOP_COUNTS] = tuple(times for _, times in top)
    return counted


def _find(span: Span, parent: trace.Span) -> Entry | None:
    """Return the parent's entry, or a new one where work enters the process."""
    entry: Entry | None = getattr(parent, SPAN_FIELD, None)
    if entry is None:
        is_entry = span.kind in _REMOTE_WORK or (
            span.kind is SpanKind.INTERNAL and span.parent is None
        )
    else:
        # A worker started by a command: the tasks are entries, and so is the command.
        is_entry = entry.kind is SpanKind.INTERNAL and span.kind in _REMOTE_WORK
    if not is_entry:
        return entry
    return Entry(span_id=span.get_span_context().span_id, kind=span.kind)
