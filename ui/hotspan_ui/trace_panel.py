"""A trace and one of its spans, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from hotspan_ui import frame, links, settings
from hotspan_ui.api import ApiError
from hotspan_ui.components.waterfall import waterfall
from hotspan_ui.views import span as span_view
from hotspan_ui.views import text
from hotspan_ui.views import waterfall as waterfall_view

if TYPE_CHECKING:
    from hotspan_ui.models import Span, Trace

_TRACES_KEPT = 16
_SPANS_KEPT = 256


# Resources, not data: answers are immutable, and pickling 10,000 spans takes longer than a click.
@st.cache_resource(
    ttl=settings.load().trace_cache_s,
    max_entries=_TRACES_KEPT,
    show_spinner="Loading the trace",
)
def fetch_trace(api_url: str, trace_id: str) -> Trace:
    """Fetch a trace; a short cache makes a click on a span load that span alone."""
    del api_url
    return frame.client().trace(trace_id)


@st.cache_resource(ttl=settings.load().trace_cache_s, max_entries=_TRACES_KEPT, show_spinner=False)
def _payload(
    api_url: str,
    trace_id: str,
    evidence: frozenset[str],
    selected: str,
    unfold_evidence: bool,  # noqa: FBT001  part of the cache's key
) -> dict[str, object]:
    return waterfall_view.payload(
        fetch_trace(api_url, trace_id),
        evidence=evidence,
        selected=selected,
        unfold_evidence=unfold_evidence,
    )


@st.cache_resource(ttl=settings.load().trace_cache_s, max_entries=_SPANS_KEPT, show_spinner=False)
def _fetch_span(api_url: str, trace_id: str, span_id: str) -> Span:
    del api_url
    return frame.client().span(trace_id, span_id)


def trace_panel(
    trace: Trace, *, evidence: frozenset[str], unfold_evidence: bool, height_px: int
) -> None:
    """Show the waterfall and, beside it, the span selected in it (and named in the URL)."""
    drawing, details = st.columns([2, 1], gap="medium")
    with drawing:
        selected = _selected_in_waterfall(
            trace, evidence=evidence, unfold_evidence=unfold_evidence, height_px=height_px
        )
    with details:
        if selected:
            _span_details(trace.trace_id, selected)
        else:
            frame.empty("No span selected", "Click a row of the waterfall to see all of its span.")


def _selected_in_waterfall(
    trace: Trace, *, evidence: frozenset[str], unfold_evidence: bool, height_px: int
) -> str:
    asked = st.query_params.get("span_id", "")
    state = st.session_state.setdefault(
        f"selection-{trace.trace_id}", {"url": None, "first": "", "visit": 0}
    )
    if asked != state["url"]:  # a link, the address bar or Back chose, not the waterfall
        wanted = evidence if unfold_evidence else frozenset[str]()
        state["url"] = asked
        state["first"] = waterfall_view.initial_span(trace, asked=asked, evidence=wanted)
        state["visit"] += 1  # what was chosen before counts no more
    first = state["first"]
    url = settings.load().api_url
    payload = _payload(url, trace.trace_id, evidence, first, unfold_evidence)
    key = f"waterfall-{trace.trace_id}-{state['visit']}"
    chosen = waterfall(payload, height_px=height_px, key=key)
    selected = chosen or first
    if chosen and chosen != asked:
        state["url"] = chosen
        st.query_params["span_id"] = chosen
    return selected


def _span_details(trace_id: str, span_id: str) -> None:
    try:
        span = _fetch_span(settings.load().api_url, trace_id, span_id)
    except ApiError as error:
        frame.empty("The span could not be loaded", str(error))
        return
    st.subheader(text.escaped(text.one_line(span.name, limit=120)), anchor=False)
    frame.note(*span_view.headline(span))
    if span.status == "error":
        st.error(text.escaped(span.status_message or "Ended with an error."))
    if span.code:
        st.code(text.place(span.code), language=None, wrap_lines=True)
    if span.statement:
        st.code(text.statement(span.statement), language="sql", wrap_lines=True)
    tabs = span_view.tabs(span)
    for tab, content in zip(st.tabs([each.title for each in tabs]), tabs, strict=True):
        with tab:
            for section in content.sections:
                if section.title:
                    st.caption(text.escaped(section.title))
                if section.link:
                    frame.anchor("Open the linked span", section.link)
                frame.pairs(section.pairs, code=True)
            if not content.sections:
                frame.note(content.none)


def finding_links(trace: Trace) -> None:
    """Show what rules found in the trace."""
    for finding in dict.fromkeys(each.fingerprint for each in trace.findings):
        first = next(each for each in trace.findings if each.fingerprint == finding)
        label = f"{first.rule}: {text.count(first.count)} times in {first.entry}"
        frame.anchor(label, links.violation(finding), icon=":material/arrow_forward:")
