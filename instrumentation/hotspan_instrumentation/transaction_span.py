"""The span of a database transaction."""

import time
from types import FrameType
from typing import Final, Self

from opentelemetry import trace
from opentelemetry.util.types import AttributeValue

from hotspan_instrumentation.entry import current_entry
from hotspan_instrumentation.processors import shared_finder
from hotspan_instrumentation.settings import current_settings
from hotspan_instrumentation.statement_facts import ALIAS

OUTCOME: Final = "hotspan.tx.outcome"
END_MS: Final = "hotspan.tx.end_ms"
ON_COMMIT: Final = "hotspan.tx.on_commit"
ON_COMMIT_MS: Final = "hotspan.tx.on_commit_ms"
DB_TRANSACTIONS: Final = "hotspan.db.transactions"

Attributes = dict[str, AttributeValue]

_NS_PER_MS: Final = 1e6


class TransactionSpan:
    """A transaction from its begin to its commit or rollback.

    It is nobody's parent: user code that asks for the current span inside a transaction gets the
    one it got before. Statements say themselves that they are in a transaction.
    """

    __slots__ = ("_attributes", "_ended_ns", "_span")

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self._ended_ns: int | None = None
        # Until a commit says otherwise: a connection that is lost rolls back.
        self._attributes: Attributes = {OUTCOME: "rollback"}

    @classmethod
    def start(cls, *, alias: str, started_ns: int, frame: FrameType | None) -> Self | None:
        """Start a span if there is one that it is a part of; alone it would look like a command."""
        entry = current_entry()
        if entry is not None:
            entry.add(DB_TRANSACTIONS)
        if not trace.get_current_span().is_recording():
            return None
        attributes: Attributes = {ALIAS: alias}
        site = shared_finder().find(frame) if current_settings().call_site else None
        if site is not None:
            attributes.update(site.group.attributes)
        tracer = trace.get_tracer("hotspan_instrumentation")
        return cls(tracer.start_span("transaction", attributes=attributes, start_time=started_ns))

    def finish(self, outcome: str, elapsed_ns: int) -> None:
        """Note that the transaction has been committed or rolled back, and how long that took."""
        self._ended_ns = time.time_ns()
        self._attributes[OUTCOME] = outcome
        self._attributes[END_MS] = elapsed_ns / _NS_PER_MS

    def add_hooks(self, count: int, elapsed_ns: int) -> None:
        """Note the `on_commit` callbacks that ran after the transaction."""
        self._attributes[ON_COMMIT] = count
        self._attributes[ON_COMMIT_MS] = elapsed_ns / _NS_PER_MS

    def end(self) -> None:
        """End the span at the time of the commit or rollback: callbacks hold no locks."""
        self._span.set_attributes(self._attributes)
        self._span.end(end_time=self._ended_ns)
