"""The spans of statements, made without the SDK's detours.

A page makes hundreds of them, and most of what the SDK does for each is known before: below a span
that is recorded, its usual samplers record; most of what a span has is the same for all of a
tracer, or empty; most processors have nothing to do with a statement. What is unusual (a sampler or
a limit of the user's, an SDK that we do not know, a span without a parent or with events) goes the
SDK's way.
"""

import random
from collections.abc import Sequence
from functools import partial
from time import time_ns
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import (
    SpanProcessor,
    SynchronousMultiSpanProcessor,
    Tracer,
    _Span,
)
from opentelemetry.sdk.trace._tracer_metrics import NoOpTracerMetrics
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from opentelemetry.trace import SpanKind

from hotspan_instrumentation.celery_spans import CeleryProcessor
from hotspan_instrumentation.client_calls import ClientCallProcessor
from hotspan_instrumentation.entry import SPAN_FIELD, EntryProcessor
from hotspan_instrumentation.error_texts import ErrorTextProcessor
from hotspan_instrumentation.guard import report_failure
from hotspan_instrumentation.processors import CallSiteProcessor, ExportProcessor
from hotspan_instrumentation.span_attributes import add_attributes
from hotspan_instrumentation.statement_facts import StatementFacts
from hotspan_instrumentation.statement_span import SAMPLED, StatementSpan, is_direct
from hotspan_instrumentation.url_masking import UrlMaskingProcessor

if TYPE_CHECKING:
    from hotspan_instrumentation.call_site import CallSiteFinder

# Where a context has its span; the API has no name for it.
SPAN_KEY: Final = next(iter(trace.set_span_in_context(trace.INVALID_SPAN, Context())))

# What these would do is done here, or concerns other spans, or those with events.
_OWN: Final = (
    *(EntryProcessor, CallSiteProcessor, CeleryProcessor, ClientCallProcessor),
    *(ErrorTextProcessor, UrlMaskingProcessor),
)
_IDLE: Final = frozenset(
    getattr(owner, name)
    for owner in (SpanProcessor, BatchSpanProcessor, SimpleSpanProcessor)
    for name in ("on_start", "_on_ending", "on_end")
    if owner is SpanProcessor or name != "on_end"
)

# The SDK's fields as we know them. An SDK with others is left to itself.
_OWN_FIELDS: Final = frozenset(
    {
        *("_name", "_context", "_parent", "_start_time", "_end_time", "_resource", "_attributes"),
        *("_events", "_links", "_lock"),
    }
)
_COMMON_FIELDS: Final = frozenset(
    {
        *("_kind", "_instrumentation_info", "_instrumentation_scope", "_status", "_sampler"),
        *("_trace_config", "_record_exception", "_set_status_on_exception", "_span_processor"),
        *("_limits", "_record_end_metrics"),
    }
)
_FIELDS_OF_ATTRIBUTES: Final = frozenset(
    {"_dict", "maxlen", "dropped", "max_value_len", "_lock", "_immutable"}
)

# More than a statement's span ever has.
_ROOM: Final = 64
_DIRECT_FIELD: Final = "_hotspan_direct"
_UNKNOWN: Final[Any] = object()


class DirectSpans:
    """Makes the spans of one tracer, as long as its processors are the same."""

    __slots__ = (
        *("_enders", "_ending", "_entries", "_finder", "_new_id", "_span", "_starters", "_status"),
        *("_tracer", "processors"),
    )

    def __init__(self, tracer: Any, processors: Sequence[SpanProcessor], sample: Any) -> None:  # noqa: ANN401 - by private fields
        self.processors = processors
        self._tracer = tracer
        common = {name: value for name, value in vars(sample).items() if name in _COMMON_FIELDS}
        self._status = common["_status"]
        common["hotspan_maker"] = self
        common["hotspan_status"] = self._status
        common["hotspan_bounds"] = vars(sample._attributes)  # noqa: SLF001 - there is no public way
        self._span: Any = type("StatementSpan", (StatementSpan,), common)
        generator = tracer.id_generator
        # What the SDK's does, but for a call; of 2^64 ids one is none.
        is_usual = type(generator) is RandomIdGenerator
        self._new_id = partial(random.getrandbits, 64) if is_usual else generator.generate_span_id
        others = [processor for processor in processors if type(processor) not in _OWN]
        self._starters = _active(others, "on_start")
        self._ending = _active(others, "_on_ending")
        self._enders = _active(others, "on_end")
        # What our exporter asks is known: it has a parent, and that is sampled.
        exporters = {each.on_end: each.add for each in others if type(each) is ExportProcessor}
        self._enders = tuple(exporters.get(on_end, on_end) for on_end in self._enders)
        self._entries = any(type(each) is EntryProcessor for each in processors)
        finders = (each.finder for each in processors if type(each) is CallSiteProcessor)
        self._finder: CallSiteFinder | None = next(finders, None)

    def start(self, parent: Any, name: str, facts: StatementFacts) -> StatementSpan:  # noqa: ANN401 - by private fields
        """Start a client's span below one of the SDK's that is sampled."""
        span: Any = object.__new__(self._span)
        span._name = name  # noqa: SLF001 - there is no public way
        span._parent = parent._context  # noqa: SLF001 - likewise
        span._resource = self._tracer.resource  # noqa: SLF001 - likewise
        span.hotspan_facts = facts
        span.hotspan_span_id = self._new_id() or self._tracer.id_generator.generate_span_id()
        if self._entries:
            span._hotspan_entry = facts.entry = getattr(parent, SPAN_FIELD, None)  # noqa: SLF001 - ours
        if self._finder is not None:
            statement = facts.statement
            try:
                facts.site, statement.place = self._finder.find_again(statement.place)
            except Exception:  # noqa: BLE001 - a guard without a call more
                report_failure(f"{__name__}.{DirectSpans.__qualname__}.start")
        span._start_time = time_ns()  # noqa: SLF001 - likewise
        for on_start in self._starters:
            on_start(span, parent_context=None)
        return span  # type: ignore[no-any-return]  # see above

    def end(self, span: StatementSpan, end_time: int | None) -> None:
        """End a span that `start` has made."""
        if (
            span._end_time is not None  # noqa: SLF001 - there is no public way
            or span._status is not self._status  # noqa: SLF001 - likewise
            or span.hotspan_events is not None
            or span.hotspan_links is not None
        ):
            span.end(end_time)
            return
        span._end_time = time_ns() if end_time is None else end_time  # noqa: SLF001 - likewise
        if span.hotspan_made is not None:
            span.hotspan_made._immutable = True  # noqa: SLF001 - likewise
        for on_ending in self._ending:
            on_ending(span)
        for on_end in self._enders:  # the SDK makes a copy, which no processor can tell
            on_end(span)


def start_statement(
    tracer: Any,  # noqa: ANN401 - any tracer
    name: str,
    facts: StatementFacts,
    *,
    around: Context,
) -> trace.Span:
    """Start the span of a statement."""
    parent: Any = around.get(SPAN_KEY)
    if (type(parent) is _Span or is_direct(parent)) and parent._context[3] & SAMPLED:  # noqa: SLF001 - likewise
        direct = _direct_spans(tracer)
        if direct is not None:
            return direct.start(parent, name, facts)
    span: trace.Span = tracer.start_span(name, context=around, kind=SpanKind.CLIENT)
    if span.is_recording():
        add_attributes(span, facts.attributes())
    return span


def end_statement(span: Any, end_time: int | None = None) -> None:  # noqa: ANN401 - any span
    """End the span of a statement."""
    maker: DirectSpans | None = getattr(span, "hotspan_maker", None)
    if maker is None:
        span.end(end_time)
    else:
        maker.end(span, end_time)


def _direct_spans(tracer: Any) -> DirectSpans | None:  # noqa: ANN401 - any tracer
    """Return what makes a tracer's spans, or None if the SDK must."""
    if type(tracer) is not Tracer or not tracer._tracer_config.is_enabled:  # noqa: SLF001 - likewise
        return None
    known: DirectSpans | None = tracer.__dict__.get(_DIRECT_FIELD, _UNKNOWN)
    if known is None:
        return None
    processors: Any = getattr(tracer.span_processor, "_span_processors", ())
    if known is _UNKNOWN or known.processors is not processors:
        sample = _sample(tracer)
        known = None if sample is None else DirectSpans(tracer, processors, sample)
        tracer.__dict__[_DIRECT_FIELD] = known
    return known


def _active(processors: Sequence[SpanProcessor], name: str) -> tuple[Any, ...]:
    """Return a method of those processors where it does something."""
    return tuple(
        getattr(each, name) for each in processors if getattr(type(each), name) not in _IDLE
    )


def _sample(tracer: Any) -> _Span | None:  # noqa: ANN401 - by private fields
    """Return a span as the tracer's are before they start, or None if ours would differ."""
    sampler = tracer.sampler
    if type(sampler) is ParentBased:
        sampler = sampler._local_parent_sampled  # noqa: SLF001
    limits = tracer._span_limits  # noqa: SLF001
    room = limits.max_span_attributes
    if (
        sampler is not ALWAYS_ON
        or type(tracer.span_processor) is not SynchronousMultiSpanProcessor
        or type(tracer._tracer_metrics) is not NoOpTracerMetrics  # noqa: SLF001
        or limits.max_span_attribute_length is not None
        or not (room is None or room >= _ROOM)
    ):
        return None
    span: Any = _Span(
        "",
        trace.INVALID_SPAN_CONTEXT,
        sampler=tracer.sampler,
        resource=tracer.resource,
        kind=SpanKind.CLIENT,
        span_processor=tracer.span_processor,
        instrumentation_info=tracer.instrumentation_info,
        instrumentation_scope=tracer._instrumentation_scope,  # noqa: SLF001
        limits=limits,
    )
    known = vars(span).keys() == _OWN_FIELDS | _COMMON_FIELDS
    known &= vars(span._attributes).keys() == _FIELDS_OF_ATTRIBUTES  # noqa: SLF001
    return span if known else None
