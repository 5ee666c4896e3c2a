"""The list of violations, ranked by what they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from hotspan_ui import frame, links, settings
from hotspan_ui.components.rows import rows
from hotspan_ui.filters import choice
from hotspan_ui.onboarding import onboarding
from hotspan_ui.status_line import status_line
from hotspan_ui.views import lifecycle, text
from hotspan_ui.views import violations as view

if TYPE_CHECKING:
    from hotspan_ui.models import Violations


def page() -> None:
    """Draw the page."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Violations", anchor=False)
        with st.container(width="content"):
            status_line()
    with frame.answers():
        if not frame.client().status().spans_stored:
            onboarding()
            return
        filters = _filters()
        found = frame.client().violations(filters, limit=settings.load().violations_limit)
    if not found.violations:
        _nothing(filtered=bool(filters))
        return
    _table(found)


def _filters() -> dict[str, str]:
    services = frame.client().services().services
    rules = frame.client().rules().rules
    options = {
        "service": sorted({each.name for each in services}),
        "environment": sorted({each.environment for each in services if each.environment}),
        "rule": sorted(each.id for each in rules),
        "severity": ["critical", "warning", "info"],
    }
    with st.container(horizontal=True, gap="small"):
        chosen = {
            name: choice(name.capitalize(), values, page="violations", name=name)
            for name, values in options.items()
        }
        chosen["status"] = choice(
            "Status",
            ["all", *lifecycle.STATUSES],
            page="violations",
            name="status",
            any_label="Active",
            labels=lifecycle.status_name,
        )
    return {name: value for name, value in chosen.items() if value}


def _table(found: Violations) -> None:
    ranked = view.ranked(found.violations)
    lost = sum(each.lost_seconds_per_day for each in ranked)
    more = f"the worst {len(ranked)} of " if found.total > len(ranked) else ""
    number = text.count(found.total)
    frame.note(
        f"{more}{number} {'violation' if found.total == 1 else 'violations'}",
        f"{text.duration(lost * 1000)} lost a day",
    )
    now = frame.now()
    rows(
        view.COLUMNS,
        [view.table_row(each, now=now) for each in ranked],
        label="Violations, those that cost most first",
        key="violations",
    )


def _nothing(*, filtered: bool) -> None:
    if filtered:
        frame.empty("No violation matches these filters", "Choose All in one of them.")
        frame.anchor("Show all violations", links.violations())
        return
    frame.empty(
        "No violations",
        "Spans arrive, and no rule has found anything in them so far. Rules run a few seconds "
        "after an entry has ended; use the service, or look at its traces.",
    )
    frame.anchor("Look at the traces", links.traces())


page()
