"""Widgets of filters that stand in the URL: it sets them, and they set it.

Streamlit's own binding lets a widget's state win over a link that was followed within the
session, and shares it between pages; here the URL wins, always.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CURSOR = "cursor"
_WIDTH_PX = 184


def choice(  # noqa: PLR0913 (a widget's options)
    label: str,
    values: Sequence[str],
    *,
    page: str,
    name: str,
    any_label: str = "All",
    labels: Callable[[str], str] = str,
) -> str:
    """Let people choose a value, or all; a value that only the URL knows stays possible."""
    asked = _take_from_url(page, name)
    options = ["", *values, *([asked] if asked and asked not in values else [])]
    chosen = st.selectbox(
        label,
        options,
        key=_key(page, name),
        format_func=lambda value: labels(value) if value else any_label,
        width=_WIDTH_PX,
    )
    return _put_into_url(page, name, chosen or "")


def words(
    label: str, *, page: str, name: str, placeholder: str = "", width_px: int = _WIDTH_PX
) -> str:
    """Let people type."""
    _take_from_url(page, name)
    typed = st.text_input(label, key=_key(page, name), placeholder=placeholder, width=width_px)
    return _put_into_url(page, name, typed or "")


def _key(page: str, name: str) -> str:
    return f"{page}-{name}"


def _take_from_url(page: str, name: str) -> str:
    asked = st.query_params.get(name, "")
    key = _key(page, name)
    seen = f"{key}-in-url"
    # Streamlit forgets a widget's value when its page is left.
    if st.session_state.get(seen) != asked or key not in st.session_state:
        st.session_state[key] = asked
        st.session_state[seen] = asked
    return asked


def _put_into_url(page: str, name: str, value: str) -> str:
    if value != st.query_params.get(name, ""):
        st.session_state[f"{_key(page, name)}-in-url"] = value
        st.query_params.pop(CURSOR, None)  # another search begins at its first page
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)
    return value
