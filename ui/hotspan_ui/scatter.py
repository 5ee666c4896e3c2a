"""Durations over time as dots; a click on one opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt
import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEIGHT_PX = 150
_TICKS = 8
# Readable on both backgrounds; red is for errors.
_OK = "#6484e6"
_ERROR = "#e5484d"


def scatter(points: Sequence[dict[str, object]], *, time_format: str) -> str:
    """Draw the dots; the answer is `trace_id/span_id` of the one clicked, or nothing."""
    picked = alt.selection_point(name="picked", fields=["trace_id", "span_id"], on="click")
    chart = (
        alt.Chart(alt.InlineData(values=list(points)))
        .mark_circle(size=55, opacity=0.75, cursor="pointer")
        .encode(
            x=alt.X("start:T", title=None, axis=alt.Axis(format=time_format, tickCount=_TICKS)),
            y=alt.Y(
                "duration_ms:Q", title="ms", scale=alt.Scale(type="log"), axis=alt.Axis(tickCount=4)
            ),
            color=alt.Color(
                "result:N",
                scale=alt.Scale(domain=["ok", "error"], range=[_OK, _ERROR]),
                legend=None,
            ),
            tooltip=[
                alt.Tooltip("name:N", title="Entry"),
                alt.Tooltip("took:N", title="Took"),
                alt.Tooltip("result:N", title="Result"),
            ],
        )
        .add_params(picked)
        .properties(height=_HEIGHT_PX)
    )
    event = st.altair_chart(
        chart, key="scatter", on_select="rerun", selection_mode="picked", alt="Durations over time"
    )
    chosen = event["selection"].get("picked") or []
    return f"{chosen[0]['trace_id']}/{chosen[0]['span_id']}" if chosen else ""
