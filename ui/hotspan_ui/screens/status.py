"""How the collector is, the rules it runs, and their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from hotspan_ui import frame, settings
from hotspan_ui.api import ApiError, NotFoundError
from hotspan_ui.components.rows import rows
from hotspan_ui.filters import choice
from hotspan_ui.views import ingest as ingest_view
from hotspan_ui.views import rules as rules_view
from hotspan_ui.views import status as view
from hotspan_ui.views import text
from hotspan_ui.views import violations as violations_view

if TYPE_CHECKING:
    from hotspan_ui.models import Ingest, Rule

_NAME = "name-of-the-reader"


def page() -> None:
    """Draw the page."""
    st.title("Status", anchor=False)
    with frame.answers():
        status = frame.client().status()
        catalogue = frame.client().rules()
        ledger = _ledger()
    now = frame.now()
    canary = rules_view.canary_fact(catalogue.canary, now=now)
    frame.facts((*view.facts(status, now=now), canary))
    frame.note(f"hotspan {status.version}", status.store, f"API at {settings.load().api_url}")
    if set_aside := view.set_aside(status):
        st.warning(text.escaped(set_aside))
    for problem in catalogue.problems:
        st.error(text.escaped(problem))
    if ledger is not None:
        _spans_by_service(ledger)
    st.subheader("Rules", anchor=False)
    for rule in rules_view.ordered(catalogue):
        with st.expander(rules_view.label(rule), expanded=rule.state == "failing"):
            _rule(rule)
    _set_a_value({rule.id: rule for rule in catalogue.rules})


def _ledger() -> Ingest | None:
    try:
        return frame.client().ingest()
    except NotFoundError:
        return None  # another process takes the spans, and has their ledger


def _spans_by_service(ingest: Ingest) -> None:
    st.subheader("Spans by service", anchor=False)
    if trouble := ingest_view.trouble(ingest):
        st.warning(text.escaped(trouble))
    if not ingest.services:
        frame.note("None since the collector's start.")
        return
    frame.note("Since the collector's start: received = stored + waiting + rejected + dropped.")
    rows(ingest_view.COLUMNS, ingest_view.rows(ingest), label="Spans by service", key="ledger-rows")


def _rule(rule: Rule) -> None:
    frame.lead(rule.finds)
    frame.note(rules_view.run_text(rule.last_run, now=frame.now()), rule.origin)
    if rule.last_run and rule.last_run.error:
        st.code(rule.last_run.error, language=None, wrap_lines=True)
    frame.note(rule.why)
    frame.pairs(
        (f"{each.name}\n", f"{violations_view.setting_text(each)}\n{each.reason}".strip())
        for each in rule.settings
    )
    if rule.scopes:
        st.caption("Other values, the most specific last: it wins")
        frame.pairs(rules_view.scope_text(each) for each in rule.scopes)


def _set_a_value(rules: dict[str, Rule]) -> None:
    st.subheader("Set a value", anchor=False)
    frame.note(
        "It wins over the settings file's for the same place. What is to stay belongs into the "
        "settings file."
    )
    chosen = choice("Rule", sorted(rules), page="status", name="rule", any_label="Choose")
    rule = rules.get(chosen)
    if rule is None:
        return
    for each in rule.scopes:
        if each.id:
            _take_back(rule, each.id, " ".join(rules_view.scope_text(each)))
    with st.form(f"set-{rule.id}"):
        what, where = st.columns(2, gap="medium")
        with what:
            name = st.selectbox("Setting", [each.name for each in rule.settings])
            value = st.text_input("Value")
            reason = st.text_input("Why", placeholder="optional", max_chars=2000)
            by = st.text_input("Your name", value=st.session_state.get(_NAME, ""), max_chars=200)
        with where:
            kind = st.selectbox("For", ["", "web", "task", "command"], format_func=_any)
            service = st.text_input("Service", placeholder="any")
            entry = st.text_input("Route, task or command", placeholder="any; * for a part")
            queue = st.text_input("Queue", placeholder="any")
        if not st.form_submit_button("Set", type="primary"):
            return
    st.session_state[_NAME] = by
    conditions = {"kind": kind, "service": service, "entry": entry, "queue": queue}
    body = rules_view.override(name or "", value, where=conditions, reason=reason, by=by)
    try:
        frame.client().set_override(rule.id, body)
    except ApiError as error:
        st.error(text.escaped(str(error)))
        return
    st.success("Set. The collector takes it up at its next tick.")


def _take_back(rule: Rule, override_id: str, said: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        frame.note(said)
        if not st.button("Take back", key=f"take-back-{override_id}", icon=":material/undo:"):
            return
    try:
        frame.client().remove_override(rule.id, override_id)
    except ApiError as error:
        st.error(text.escaped(str(error)))
        return
    st.success("Taken back, from the collector's next tick on.")


def _any(kind: str) -> str:
    return kind or "everything"


page()
