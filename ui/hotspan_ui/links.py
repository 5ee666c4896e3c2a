"""Where everything is: the only place that knows pages and builds URLs.

Links are relative, so they hold under any base path that a reverse proxy adds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

VIOLATIONS = ""
VIOLATION = "violation"
TRACES = "traces"
TRACE = "trace"
STATUS = "status"


@dataclass(frozen=True, slots=True)
class Link:
    """A page and its parameters."""

    page: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Relative to any page of the UI."""
        query = f"?{urlencode(self.parameters)}" if self.parameters else ""
        return f"./{self.page}{query}"


def violations(**filters: str) -> Link:
    """Return the list of violations, with the filters that are not empty."""
    return Link(VIOLATIONS, _without_empty(filters))


def violation(violation_id: str) -> Link:
    """One violation."""
    return Link(VIOLATION, {"id": violation_id})


def traces(**filters: str) -> Link:
    """Return the search for traces, with the filters that are not empty."""
    return Link(TRACES, _without_empty(filters))


def trace(trace_id: str, *, span_id: str = "", violation_id: str = "") -> Link:
    """One trace, a span of it selected, the evidence of a violation highlighted."""
    parameters = {"trace_id": trace_id, "span_id": span_id, "violation": violation_id}
    return Link(TRACE, _without_empty(parameters))


def status() -> Link:
    """How the collector is, and the rules it runs."""
    return Link(STATUS)


def _without_empty(parameters: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if value}
