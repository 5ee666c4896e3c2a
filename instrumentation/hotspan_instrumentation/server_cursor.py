"""The span of a server-side cursor: one for the statement and all that is fetched from it.

A span for each fetch would look like the same query over and over. So there is one, as long as the
database was at work, with all the rows; it ends when the cursor is closed.
"""

import time
from typing import Final

from hotspan_instrumentation.query_span import QuerySpan

FETCHES: Final = "hotspan.db.fetches"


class ServerCursorSpan(QuerySpan):
    """A statement's span that always waits for its rows, and says in how many parts they came."""

    __slots__ = ()

    def declared(self) -> None:
        """Note that the cursor is there, and that nothing has been fetched from it."""
        self.wait_for_rows(time.perf_counter_ns() - self._started_ns)

    def close(self, error: BaseException | None = None) -> None:
        """End the span."""
        if self._is_open and self._span.is_recording():
            self._span.set_attribute(FETCHES, self.fetches)
        super().close(error)
