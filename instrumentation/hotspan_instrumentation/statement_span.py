"""The span of a statement as the SDK's spans are; what is seldom asked for is made when it is."""

import threading
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import _Span
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import SpanContext, Status, TraceFlags

from hotspan_instrumentation.entry import Entry
from hotspan_instrumentation.statement_facts import StatementFacts

SAMPLED: Final = int(TraceFlags.SAMPLED)
_KNOWN_FLAGS: Final = SAMPLED | int(TraceFlags.RANDOM_TRACE_ID)


class StatementSpan(_Span):
    """A span as the SDK's.

    What all spans of a tracer have in common are attributes of a subclass.

    Attributes:
        hotspan_maker: What has made it, and ends it.
        hotspan_status: The status that it starts with.
        hotspan_bounds: The SDK's fields of the attributes that it starts with.
        hotspan_facts: What is known of the statement.
        hotspan_span_id: The id of the span.
        hotspan_made: Its attributes, once somebody has asked for them.
        hotspan_events: Likewise its events.
        hotspan_links: Likewise its links.

    """

    hotspan_maker: Any
    hotspan_status: Status
    hotspan_bounds: Mapping[str, object]
    hotspan_facts: StatementFacts
    hotspan_span_id: int
    hotspan_made: BoundedAttributes | None = None
    hotspan_events: BoundedList | None = None  # type: ignore[type-arg]  # untyped
    hotspan_links: BoundedList | None = None  # type: ignore[type-arg]  # likewise
    _hotspan_entry: Entry | None = None
    _end_time: int | None = None

    @property
    def _context(self) -> SpanContext:  # type: ignore[override]  # the SDK's field
        above: Any = self._parent
        flags = above.trace_flags
        if flags > _KNOWN_FLAGS:
            flags = TraceFlags(flags & _KNOWN_FLAGS)
        return SpanContext(above.trace_id, self.hotspan_span_id, False, flags, above.trace_state)

    @property
    def _attributes(self) -> BoundedAttributes:  # type: ignore[override]  # likewise
        made: BoundedAttributes | None = self.hotspan_made
        if made is None:  # of two threads that ask, the first one's are taken
            made = self.__dict__.setdefault("hotspan_made", self._bounded())
        return made

    @property
    def _lock(self) -> Any:  # type: ignore[override]  # noqa: ANN401 - likewise
        return self.__dict__.setdefault("hotspan_lock", threading.Lock())

    @property
    def _events(self) -> BoundedList:  # type: ignore[override,type-arg]  # likewise
        if self.hotspan_events is None:
            self.hotspan_events = BoundedList(self._limits.max_events)
        return self.hotspan_events

    @property
    def _links(self) -> BoundedList:  # type: ignore[override,type-arg]  # likewise
        if self.hotspan_links is None:
            self.hotspan_links = BoundedList(self._limits.max_links)
        return self.hotspan_links

    @property
    def is_simple(self) -> bool:
        """Whether it is as it was made, but for its attributes."""
        return (
            self.hotspan_events is None
            and self.hotspan_links is None
            and self._status is self.hotspan_status
        )

    def _bounded(self) -> BoundedAttributes:
        bounded: Any = object.__new__(BoundedAttributes)
        bounded.__dict__ |= {
            **self.hotspan_bounds,
            "_dict": self.hotspan_facts.attributes(),
            "_lock": threading.Lock(),
            "_immutable": self._end_time is not None,
        }
        return bounded  # type: ignore[no-any-return]  # by private fields


def is_direct(span: object) -> bool:
    """Whether a span is one of these."""
    return type(span).__base__ is StatementSpan  # the SDK's classes make isinstance slow
