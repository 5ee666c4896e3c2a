"""What all pages share: the client, links, headings, and what is shown when something fails."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from hotspan_ui import links, settings
from hotspan_ui.api import ApiError, ApiUnreachableError, Client, NotFoundError
from hotspan_ui.views.text import escaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hotspan_ui.links import Link
    from hotspan_ui.views.fact import Fact

_FOLDER: Final = Path(__file__).parent
_HOW_TO_REACH: Final = """\
hotspan serve
hotspan ui --api-url http://collector.example:4319"""
SCREENS: Final[Mapping[str, str]] = {
    links.VIOLATIONS: "screens/violations.py",
    links.VIOLATION: "screens/violation.py",
    links.TRACES: "screens/traces.py",
    links.TRACE: "screens/trace.py",
    links.STATUS: "screens/status.py",
}


@st.cache_resource(max_entries=4, on_release=Client.close, show_spinner=False)
def _client(chosen: settings.Settings) -> Client:
    return Client.from_settings(chosen)


def client() -> Client:
    """Return the API's client; its connections are shared by all sessions."""
    return _client(settings.load())


def now() -> datetime:
    """Return the time that ages are told from."""
    return datetime.now(UTC)


def zone() -> ZoneInfo | None:
    """Return the reader's time zone, where the browser tells it."""
    name = st.context.timezone
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


def style() -> None:
    """Add the few styles that the theme cannot express."""
    st.html(_FOLDER / "style.css")


def go(link: Link) -> NoReturn:
    """Move to another page without loading the application anew."""
    st.switch_page(SCREENS[link.page], query_params=dict(link.parameters))


def anchor(label: str, link: Link, *, icon: str | None = None) -> None:
    """Show a link to another page."""
    st.page_link(
        SCREENS[link.page],
        label=escaped(label),
        icon=icon,
        query_params=dict(link.parameters) or None,
    )


def rich(text: str) -> str:
    """Text as HTML: everything escaped, and what stands in backticks as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return "".join(
        f"<code>{escape(part)}</code>" if index % 2 else escape(part)
        for index, part in enumerate(parts)
    )


def lead(text: str) -> None:
    """Show a paragraph that says what the page is about."""
    st.html(f'<p class="hs-lead">{rich(text)}</p>')


def note(*parts: str) -> None:
    """Show small facts in one quiet line."""
    shown = "".join(f"<span>{escape(part)}</span>" for part in parts if part)
    st.html(f'<p class="hs-note">{shown}</p>')


def facts(items: Iterable[Fact]) -> None:
    """Show numbers beside each other."""
    cells = "".join(
        f"<div><dt>{escape(item.name)}</dt><dd>{escape(item.value)}</dd>"
        f"<small>{escape(item.explanation)}</small></div>"
        for item in items
    )
    st.html(f'<dl class="hs-facts">{cells}</dl>')


def pairs(items: Iterable[tuple[str, str]], *, code: bool = False) -> None:
    """Show names and values as a list."""
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in items)
    st.html(f'<dl class="hs-pairs{" hs-code" if code else ""}">{rows}</dl>')


def empty(title: str, text: str) -> None:
    """Say that there is nothing, why, and what to do."""
    st.html(f'<div class="hs-empty"><b>{escape(title)}</b><p>{rich(text)}</p></div>')


@contextmanager
def answers() -> Iterator[None]:
    """Turn the API's errors into a page that says what to do, and end the page there."""
    try:
        yield
    except NotFoundError as error:
        empty("Not found", f"{error} It may be older than what the collector keeps.")
        st.stop()
    except ApiUnreachableError as error:
        empty("The collector's API does not answer", str(error))
        st.caption("Start a collector here, or tell the UI where one is:")
        st.code(
            "hotspan serve\nhotspan ui --api-url http://collector.example:4319", language="bash"
        )
        st.button("Try again", icon=":material/refresh:", key="retry")
        st.stop()
    except ApiError as error:
        empty("The collector's API refused", str(error))
        st.button("Try again", icon=":material/refresh:", key="retry")
        st.stop()
