"""What is shown until the first span arrives: how to send one."""

from __future__ import annotations

import streamlit as st

from hotspan_ui import frame

_WEB = """\
pip install hotspan
export OTEL_SERVICE_NAME=shop
opentelemetry-instrument gunicorn shop.wsgi"""
_CELERY = """\
export OTEL_SERVICE_NAME=shop-worker
opentelemetry-instrument celery -A shop worker"""
_ELSEWHERE = """\
export OTEL_EXPORTER_OTLP_ENDPOINT=http://collector.example:4318"""
_CHECK_S = 3


def onboarding() -> None:
    """Show how to instrument a service, and go on when its first span is stored."""
    frame.empty(
        "Waiting for the first span",
        "No service has sent anything yet. Start one as below, and use it: "
        "this page goes on by itself.",
    )
    web, celery = st.columns(2, gap="medium")
    with web:
        st.subheader("Django", anchor=False)
        st.caption("In the environment of the service. Nothing in its code changes.")
        st.code(_WEB, language="bash")
    with celery:
        st.subheader("Celery", anchor=False)
        st.caption("The worker is a service of its own.")
        st.code(_CELERY, language="bash")
    st.caption("The collector is on another machine:")
    st.code(_ELSEWHERE, language="bash")
    st.caption("Only looking? This runs a shop with every problem that hotspan finds:")
    st.code("hotspan demo", language="bash")
    _watch()


@st.fragment(run_every=_CHECK_S)
def _watch() -> None:
    with frame.answers():
        if frame.client().status().spans_stored:
            st.rerun()
