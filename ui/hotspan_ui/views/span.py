"""A span in full, ordered for reading."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hotspan_ui import links
from hotspan_ui.views import text

if TYPE_CHECKING:
    from pydantic import JsonValue

    from hotspan_ui.links import Link
    from hotspan_ui.models import Attributes, Span

_US_PER_MS: Final = 1000.0
# Shown as statement already: once is enough.
_STATEMENTS: Final = frozenset({"db.query.text", "db.statement"})


@dataclass(frozen=True, slots=True)
class Section:
    """Names and values, with a title where there is more than one section."""

    pairs: tuple[tuple[str, str], ...]
    title: str = ""
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class Tab:
    """One of the tabs of a span."""

    title: str
    sections: tuple[Section, ...]
    none: str


def headline(span: Span) -> tuple[str, ...]:
    """Return what matters most of a span, in short parts."""
    return (
        text.duration(span.duration_us / _US_PER_MS),
        f"at {text.duration(span.start_us / _US_PER_MS)}",
        span.service,
        span.kind if span.kind != "unspecified" else "",
        f"in {span.code.function}" if span.code and span.code.function else "",
    )


def tabs(span: Span) -> tuple[Tab, ...]:
    """Attributes, events, links and resource, each with how many there are."""
    attributes = {
        name: value
        for name, value in span.attributes.items()
        if not (span.statement and name in _STATEMENTS)
    }
    return (
        Tab(
            f"Attributes {len(attributes)}",
            (Section(pairs(attributes)),) if attributes else (),
            "This span has no attributes.",
        ),
        Tab(f"Events {len(span.events)}", _events(span), "Nothing happened within this span."),
        Tab(f"Links {len(span.links)}", _links(span), "This span links to no other."),
        Tab("Resource", (Section(_resource(span)),), ""),
    )


def pairs(attributes: Attributes) -> tuple[tuple[str, str], ...]:
    """Attributes by name, their values as text."""
    return tuple((name, shown(attributes[name])) for name in sorted(attributes))


def shown(value: JsonValue) -> str:
    """Return a value as JSON, but strings without quotes."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _events(span: Span) -> tuple[Section, ...]:
    return tuple(
        Section(
            pairs(event.attributes),
            title=f"{event.name}, after {text.duration(event.offset_us / _US_PER_MS)}",
        )
        for event in span.events
    )


def _links(span: Span) -> tuple[Section, ...]:
    return tuple(
        Section(
            (("trace_id", link.trace_id), ("span_id", link.span_id), *pairs(link.attributes)),
            title=f"Link {number}",
            link=links.trace(link.trace_id, span_id=link.span_id),
        )
        for number, link in enumerate(span.links, start=1)
    )


def _resource(span: Span) -> tuple[tuple[str, str], ...]:
    scope = f"{span.scope_name} {span.scope_version}".strip()
    identity = {"span_id": span.span_id, "otel.scope": scope, "trace_state": span.trace_state}
    known = tuple((name, value) for name, value in identity.items() if value)
    of_scope = tuple((f"otel.scope.{name}", value) for name, value in pairs(span.scope))
    return (*known, *of_scope, *pairs(span.resource))
