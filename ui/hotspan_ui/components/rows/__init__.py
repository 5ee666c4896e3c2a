"""A table whose rows are links: a click moves within the session, the URL is a real one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from hotspan_ui.views import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotspan_ui.views.table import Column, LinkRow

_FOLDER = Path(__file__).parent
_COMPONENT = st.components.v2.component(
    "hotspan.rows",
    html='<div class="rows" role="table"></div>',
    css=(_FOLDER / "rows.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "rows.js").read_text(encoding="utf-8"),
)


def rows(columns: Sequence[Column], lines: Sequence[LinkRow], *, label: str, key: str) -> None:
    """Show the table."""
    _COMPONENT(key=key, data=table.payload(columns, lines, label=label))
