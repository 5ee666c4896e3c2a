"""A trace drawn on a canvas: tree, zoom, find, folds, evidence. Only the selection comes back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Mapping

_FOLDER = Path(__file__).parent
_COMPONENT = st.components.v2.component(
    "hotspan.waterfall",
    html=(_FOLDER / "waterfall.html").read_text(encoding="utf-8"),
    css=(_FOLDER / "waterfall.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "waterfall.js").read_text(encoding="utf-8"),
)


def waterfall(payload: Mapping[str, object], *, height_px: int, key: str) -> str:
    """Draw the trace; the answer is the id of the span selected in it, or nothing yet.

    The payload must stay equal from run to run: only then it crosses the wire once.
    """
    result = _COMPONENT(
        key=key,
        data={**payload, "height": height_px},
        default={"selected": ""},
        on_selected_change=_keep,
    )
    return str(result.selected or "")


def _keep() -> None:
    """Ask Streamlit to keep the selection as state."""
