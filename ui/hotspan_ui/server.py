"""What `streamlit run` serves: the pages, behind the password if one is set."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from hotspan_ui import settings
from hotspan_ui.gate import PasswordGate


def _middleware() -> list[Middleware]:
    chosen = settings.load()
    if not chosen.secret_password:
        return []
    return [
        Middleware(
            PasswordGate, password=chosen.secret_password, session_hours=chosen.session_hours
        )
    ]


app = st.App(Path(__file__).with_name("app.py").resolve(), middleware=_middleware())
