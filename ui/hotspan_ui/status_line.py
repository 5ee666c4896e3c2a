"""The small line that tells whether the collector keeps up."""

from __future__ import annotations

import streamlit as st

from hotspan_ui import frame, settings
from hotspan_ui.api import ApiError
from hotspan_ui.views import status


@st.fragment(run_every=settings.load().status_refresh_s)
def status_line() -> None:
    """Show lag and volume, and keep them fresh."""
    try:
        answer = frame.client().status()
    except ApiError:
        frame.note("The collector's API does not answer")
        return
    frame.note(*status.line(answer))
