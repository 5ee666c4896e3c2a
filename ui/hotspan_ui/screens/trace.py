"""A trace, with the evidence of a violation (or of all) highlighted."""

from __future__ import annotations

import streamlit as st

from hotspan_ui import frame, links, settings
from hotspan_ui.api import ApiError
from hotspan_ui.trace_panel import fetch_trace, finding_links, trace_panel
from hotspan_ui.views import text
from hotspan_ui.views import trace as view
from hotspan_ui.views import waterfall as waterfall_view

_WATERFALL_HEIGHT_PX = 620


def page() -> None:
    """Draw the page."""
    trace_id = st.query_params.get("trace_id", "")
    violation_id = st.query_params.get("violation", "")
    if violation_id:
        frame.anchor("Violation", links.violation(violation_id), icon=":material/arrow_back:")
    else:
        frame.anchor("Traces", links.traces(), icon=":material/arrow_back:")
    if not trace_id:
        frame.empty("No trace named", "The URL of a trace ends in `?trace_id=…`.")
        return
    with frame.answers():
        trace = fetch_trace(settings.load().api_url, trace_id)
    with st.container(gap="xsmall"):
        st.title(text.escaped(view.title(trace)), anchor=False)
        frame.note(*view.headline(trace, zone=frame.zone()))
        if trace.findings and not violation_id:
            with st.container(horizontal=True, gap="medium"):
                finding_links(trace)
    for warning in view.warnings(trace):
        st.warning(text.escaped(warning))
    evidence = waterfall_view.evidence_of(trace.findings, violation_id)
    evidence |= _evidence_of_violation(trace_id, violation_id)
    trace_panel(
        trace,
        evidence=evidence,
        unfold_evidence=bool(violation_id),
        height_px=_WATERFALL_HEIGHT_PX,
    )


def _evidence_of_violation(trace_id: str, violation_id: str) -> frozenset[str]:
    """Return what the violation kept of this trace: more lasting than the trace's own findings."""
    if not violation_id:
        return frozenset()
    try:
        violation = frame.client().violation(violation_id)
    except ApiError:
        return frozenset()
    kept = violation.evidence_trace_id == trace_id
    return frozenset(violation.evidence.span_ids if kept else ())


page()
