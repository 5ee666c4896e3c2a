"""The script that Streamlit runs: it names the pages, and nothing more."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from hotspan_ui import frame, links

_MARK = Path(__file__).with_name("mark.svg")
_WORDMARK = Path(__file__).with_name("wordmark.svg")
_ABOUT = "hotspan finds N+1 queries, slow external calls and failing tasks in traces."

st.set_page_config(
    page_title="hotspan",
    page_icon=str(_MARK),
    layout="wide",
    menu_items={"About": _ABOUT},
)
st.logo(str(_WORDMARK), size="large", link=None)
frame.style()
screen = st.navigation(
    [
        st.Page(frame.SCREENS[links.VIOLATIONS], title="Violations", default=True),
        st.Page(frame.SCREENS[links.TRACES], title="Traces", url_path=links.TRACES),
        st.Page(frame.SCREENS[links.STATUS], title="Status", url_path=links.STATUS),
        st.Page(
            frame.SCREENS[links.VIOLATION],
            title="Violation",
            url_path=links.VIOLATION,
            visibility="hidden",
        ),
        st.Page(
            frame.SCREENS[links.TRACE], title="Trace", url_path=links.TRACE, visibility="hidden"
        ),
    ],
    position="top",
)
screen.run()
