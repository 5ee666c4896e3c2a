"""How the collector is, and the rules it runs."""

from __future__ import annotations

import streamlit as st

from hotspan_ui import frame, settings
from hotspan_ui.views import status as view
from hotspan_ui.views import text
from hotspan_ui.views import violations as violations_view


def page() -> None:
    """Draw the page."""
    st.title("Status", anchor=False)
    with frame.answers():
        status = frame.client().status()
        rules = frame.client().rules().rules
    frame.facts(view.facts(status, now=frame.now()))
    frame.note(f"hotspan {status.version}", status.store, f"API at {settings.load().api_url}")
    st.subheader("Rules", anchor=False)
    for rule in rules:
        with st.expander(f"**{text.escaped(rule.title)}** {text.escaped(rule.id)}"):
            frame.lead(rule.finds)
            frame.note(rule.why)
            frame.pairs(
                (f"{each.name}\n", f"{violations_view.setting_text(each)}\n{each.reason}".strip())
                for each in rule.settings
            )


page()
