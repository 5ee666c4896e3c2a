"""A violation: what and where, what it costs, the evidence, and what to change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from hotspan_ui import frame, links, settings
from hotspan_ui.api import ApiError
from hotspan_ui.components.rows import rows
from hotspan_ui.trace_panel import fetch_trace, trace_panel
from hotspan_ui.views import lifecycle, text
from hotspan_ui.views import violations as view
from hotspan_ui.views import waterfall as waterfall_view

if TYPE_CHECKING:
    from typing import Literal

    from hotspan_ui.models import Severity, ViolationDetail

_COLOURS: dict[Severity, Literal["red", "orange", "gray"]] = {
    "critical": "red",
    "warning": "orange",
    "info": "gray",
}
_WATERFALL_HEIGHT_PX = 416
_NAME = "name-of-the-reader"
_CALL_SITE = "code.file.path"


def page() -> None:
    """Draw the page."""
    violation_id = st.query_params.get("id", "")
    frame.anchor("Violations", links.violations(), icon=":material/arrow_back:")
    if not violation_id:
        frame.empty("No violation named", "The URL of a violation ends in `?id=v1:…`.")
        return
    with frame.answers():
        violation = frame.client().violation(violation_id)
    _what(violation)
    _state(violation)
    frame.facts(view.facts(violation))
    _where_and_fix(violation)
    _evidence(violation)
    _why(violation)
    _occurrences(violation)
    _history(violation)


def _what(violation: ViolationDetail) -> None:
    with st.container(gap="xsmall"):
        with st.container(horizontal=True, gap="xsmall"):
            st.badge(violation.severity, color=_COLOURS[violation.severity])
            st.badge(text.escaped(violation.rule), color="gray")
            st.badge(f"{text.escaped(violation.confidence)} confidence", color="gray")
            if violation.status != "open":
                st.badge(
                    text.escaped(lifecycle.status_label(violation.status)),
                    color=lifecycle.BADGES.get(violation.status, "gray"),
                )
            elif violation.quiet:
                st.badge("quiet", color="gray")
        st.title(text.escaped(view.headline(violation)), anchor=False)
        frame.lead(violation.summary)
        frame.note(
            view.owner(violation),
            f"first seen {text.moment(violation.first_seen, zone=frame.zone())}",
            f"last seen {text.ago(violation.last_seen, now=frame.now())}",
            view.releases(violation),
        )


def _state(violation: ViolationDetail) -> None:
    said = lifecycle.sentence(violation, zone=frame.zone())
    if said:
        frame.lead(said)
    changed = lifecycle.before_and_after(violation)
    if changed:
        frame.facts(changed)
    choices = lifecycle.choices(violation.actions)
    if choices:
        with st.container(horizontal=True, gap="small"):
            for each in choices:
                _choice(violation, each)


def _choice(violation: ViolationDetail, choice: lifecycle.Choice) -> None:
    with (
        st.popover(choice.label, icon=choice.icon),
        st.form(f"say-{choice.action}", border=False),
    ):
        frame.note(choice.explanation)
        until = "For ever"
        if choice.action == "ignore":
            until = st.selectbox("How long", list(lifecycle.UNTIL))
        reason = st.text_input("Why", placeholder="optional", max_chars=2000)
        by = st.text_input("Your name", value=st.session_state.get(_NAME, ""), max_chars=200)
        if not st.form_submit_button(choice.label, type="primary"):
            return
        st.session_state[_NAME] = by
        body = {"by": by, "reason": reason, **lifecycle.UNTIL[until]}
        try:
            frame.client().act(violation.id, choice.action, body)
        except ApiError as error:
            st.error(text.escaped(str(error)))
            return
    st.rerun()


def _history(violation: ViolationDetail) -> None:
    if not violation.history:
        return
    st.subheader("What became of it", anchor=False)
    frame.pairs(lifecycle.history(violation.history, zone=frame.zone()))


def _where_and_fix(violation: ViolationDetail) -> None:
    where, fix = st.columns(2, gap="medium")
    with where:
        st.subheader("Where in the code", anchor=False)
        if violation.code:
            st.code(text.place(violation.code), language=None, wrap_lines=True)
            if violation.code.function:
                frame.note(f"in {violation.code.function}")
        elif _CALL_SITE in violation.evidence.missing_attributes:
            frame.lead(
                "Not known: these spans carry no call site. Run the service with the hotspan "
                "distribution (`pip install hotspan`) to see the file and line."
            )
        else:
            what = violation.entry or violation.service
            frame.lead(f"No single line: it is about {what} as a whole.")
    with fix:
        st.subheader("What to change", anchor=False)
        frame.lead(violation.suggestion)


def _evidence(violation: ViolationDetail) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader("Evidence", anchor=False)
        with st.container(width="content"):
            frame.anchor(
                "Open the trace",
                links.trace(violation.evidence_trace_id, violation_id=violation.id),
                icon=":material/open_in_full:",
            )
    try:
        trace = fetch_trace(settings.load().api_url, violation.evidence_trace_id)
    except ApiError as error:
        frame.empty("The evidence trace could not be loaded", str(error))
        return
    evidence = frozenset(violation.evidence.span_ids)
    evidence |= waterfall_view.evidence_of(trace.findings, violation.id)
    trace_panel(trace, evidence=evidence, unfold_evidence=True, height_px=_WATERFALL_HEIGHT_PX)


def _why(violation: ViolationDetail) -> None:
    rule = violation.rule_info
    st.subheader("Why it was reported", anchor=False)
    frame.lead(rule.why or rule.finds)
    measured, limits = st.columns(2, gap="medium")
    with measured:
        st.caption("Measured in the evidence")
        frame.pairs(view.measured(violation.evidence.details) or (("Nothing", text.NOTHING),))
    with limits:
        st.caption(f"Settings of {text.escaped(rule.id)}")
        settings_of_rule = [(each.name, view.setting_text(each)) for each in rule.settings]
        frame.pairs(settings_of_rule or [("None", text.NOTHING)])
    if violation.evidence.statement:
        st.caption("The statement, without its parameters")
        st.code(text.statement(violation.evidence.statement), language="sql", wrap_lines=True)
    if violation.evidence.missing_attributes:
        missing = ", ".join(violation.evidence.missing_attributes)
        frame.note(f"These attributes would raise the confidence: {missing}")


def _occurrences(violation: ViolationDetail) -> None:
    st.subheader("Occurrences", anchor=False)
    if not violation.occurrences:
        frame.note("None is kept any more.")
        return
    now, zone = frame.now(), frame.zone()
    rows(
        view.OCCURRENCE_COLUMNS,
        [
            view.occurrence_row(each, violation_id=violation.id, zone=zone, now=now)
            for each in violation.occurrences
        ],
        label="Occurrences, newest first",
        key="occurrences",
    )


page()
