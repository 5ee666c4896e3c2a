"""The span of a server-side cursor: one for the statement and all that is fetched from it.

A span for each fetch would look like the same query over and over. So there is one, as long as the
database was at work, with all the rows; it ends when the cursor is closed.
"""

import time
from typing import Any, Final

from opentelemetry import context

from hotspan_instrumentation.query_span import DB_ROWS, RETURNED_ROWS, QuerySpan

FETCHES: Final = "hotspan.db.fetches"


class ServerCursorSpan(QuerySpan):
    """A statement's span that goes on while rows are fetched."""

    __slots__ = ("_elapsed_ns", "_fetches", "_rows")

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as its parent
        super().__init__(*args, **kwargs)
        self._elapsed_ns = 0
        self._fetches = 0
        self._rows = 0

    def declared(self) -> None:
        """Note that the cursor is there, and that nothing has been fetched from it."""
        self._elapsed_ns = time.perf_counter_ns() - self._started_ns
        self._count_time(self._elapsed_ns)
        if self._token is not None:
            context.detach(self._token)

    def fetched(self, rows: int, elapsed_ns: int) -> None:
        """Add what has been fetched."""
        self._elapsed_ns += elapsed_ns
        self._rows += rows
        self._fetches += 1
        self._count_time(elapsed_ns)

    def close(self) -> None:
        """End the span: as long as the database was at work, not its user."""
        if self._entry is not None:
            self._entry.add(DB_ROWS, self._rows)
        if self._token is None:
            return
        self._span.set_attributes({RETURNED_ROWS: self._rows, FETCHES: self._fetches})
        started_ns: int = self._span.start_time  # type: ignore[attr-defined]  # the SDK's, not the API's
        self._span.end(end_time=started_ns + self._elapsed_ns)
