"""The search for traces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from hotspan_ui import frame, links, settings
from hotspan_ui.components.rows import rows
from hotspan_ui.filters import CURSOR, choice, words
from hotspan_ui.onboarding import onboarding
from hotspan_ui.scatter import scatter
from hotspan_ui.status_line import status_line
from hotspan_ui.views import text
from hotspan_ui.views import traces as view

if TYPE_CHECKING:
    from hotspan_ui.models import TraceSummaries

_WIDE_PX = 384


def page() -> None:
    """Draw the page."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Traces", anchor=False)
        with st.container(width="content"):
            status_line()
    with frame.answers():
        if not frame.client().status().spans_stored:
            onboarding()
            return
        search = _search()
        try:
            query = search.query(now=frame.now(), zone=frame.zone())
        except view.SearchError as error:
            st.warning(text.escaped(str(error)))
            return
        cursor = st.query_params.get(CURSOR, "")
        parameters = [*query, *([(CURSOR, cursor)] if cursor else [])]
        with st.spinner("Searching"):
            found = frame.client().traces(parameters, limit=settings.load().traces_limit)
    if not found.traces:
        _nothing(filtered=bool(query))
        return
    _result(found)


def _search() -> view.Search:
    services = frame.client().services().services
    names = sorted({each.name for each in services})
    environments = sorted({each.environment for each in services if each.environment})
    with st.container(horizontal=True, gap="small"):
        service = choice("Service", names, page=links.TRACES, name="service")
        environment = choice("Environment", environments, page=links.TRACES, name="environment")
        kind = choice("Kind", ["web", "task", "command"], page=links.TRACES, name="kind")
        name = words(
            "Route or task",
            page=links.TRACES,
            name="name",
            placeholder="GET /orders/",
            width_px=_WIDE_PX,
        )
        error = choice("Error", ["yes", "no"], page=links.TRACES, name="error", any_label="Any")
        least = words("Took at least, ms", page=links.TRACES, name="min_ms", placeholder="0")
        most = words("Took at most, ms", page=links.TRACES, name="max_ms", placeholder="any")
        window, since, until = _time_range()
        attributes = words(
            "Attributes",
            page=links.TRACES,
            name="attributes",
            placeholder="http.route=/orders, db.system.name=postgresql",
            width_px=_WIDE_PX,
        )
    return view.Search(
        service=service,
        environment=environment,
        kind=kind,
        name=name,
        error=error,
        min_ms=least,
        max_ms=most,
        attributes=attributes,
        window=window,
        since=since,
        until=until,
    )


def _time_range() -> tuple[str, str, str]:
    window = choice(
        "Time",
        ["15m", "1h", "6h", "24h", "7d", "custom"],
        page=links.TRACES,
        name="window",
        any_label="Any time",
    )
    if window != "custom":
        return window, "", ""
    since = words("From", page=links.TRACES, name="since", placeholder="2026-11-22T14:30")
    until = words("To", page=links.TRACES, name="until", placeholder="now")
    return "", since, until


def _result(found: TraceSummaries) -> None:
    now, zone = frame.now(), frame.zone()
    opened = scatter(
        view.points(found.traces, zone=zone), time_format=view.time_format(found.traces)
    )
    if opened:
        trace_id, _, span_id = opened.partition("/")
        frame.go(links.trace(trace_id, span_id=span_id))
    rows(
        view.COLUMNS,
        [view.table_row(each, now=now, zone=zone) for each in found.traces],
        label="Traces, newest first",
        key="traces",
    )
    _paging(found)


def _paging(found: TraceSummaries) -> None:
    current = st.query_params.to_dict()
    earlier = current.pop(CURSOR, "")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if earlier:
            frame.anchor("Newest", links.traces(**current), icon=":material/first_page:")
        if found.next_cursor:
            following = links.traces(**current, cursor=found.next_cursor)
            frame.anchor("Older", following, icon=":material/chevron_right:")


def _nothing(*, filtered: bool) -> None:
    if filtered:
        frame.empty("No trace matches", "Take back a filter, or search a longer time.")
        frame.anchor("Show all traces", links.traces())
        return
    frame.empty(
        "No traces yet",
        "Spans arrive, and no entry (request, task or command) has been evaluated so far. "
        "It takes a few seconds.",
    )


page()
