"""Widgets of filters, bound to the URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def choice(  # noqa: PLR0913  what a select box needs, and all by name
    label: str,
    values: Sequence[str],
    *,
    key: str,
    any_label: str = "All",
    on_change: Callable[[], None] | None = None,
    width_px: int = 184,
) -> str:
    """Let people choose a value, or all; a value that only the URL knows stays possible."""
    asked = st.query_params.get(key, "")
    options = ["", *values, *([asked] if asked and asked not in values else [])]
    chosen = st.selectbox(
        label,
        options,
        key=key,
        format_func=lambda value: value or any_label,
        bind="query-params",
        on_change=on_change,
        width=width_px,
    )
    return chosen or ""


def words(
    label: str,
    *,
    key: str,
    placeholder: str = "",
    on_change: Callable[[], None] | None = None,
    width_px: int = 184,
) -> str:
    """Let people type."""
    typed = st.text_input(
        label,
        key=key,
        placeholder=placeholder,
        bind="query-params",
        on_change=on_change,
        width=width_px,
    )
    return typed or ""
