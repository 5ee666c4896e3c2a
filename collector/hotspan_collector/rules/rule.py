"""A rule: what it looks for, in SQL, with its words and its settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from hotspan_collector.database import exists
from hotspan_collector.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotspan_collector.database import Database
    from hotspan_collector.rules.scopes import Scope

__all__ = ["COLUMNS", "Kind", "Rule", "RuleSetting"]

COLUMNS = (
    "trace_id",
    "entry_span_id",
    "identity",
    "severity",
    "confidence",
    "count",
    "wasted_ns",
    "statement",
    "details",
    "missing",
    "span_ids",
    "suggestion",
    "code_file",
    "code_line",
    "code_function",
)

Kind = Literal["structural", "window"]
"""Structural rules look at one entry at a time, rules over windows at many."""

_TYPES: Mapping[str, tuple[type, ...]] = {
    "UInt32": (int,),
    "UInt64": (int,),
    "Float64": (int, float),
    "String": (str,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSetting:
    """A value of a rule that its users may change."""

    name: str
    type: str
    default: Any
    unit: str
    reason: str

    def check(self, rule: str, value: object) -> object:
        """Return `value` when it fits.

        Raises:
            ConfigurationError: it has another type, or is negative.

        """
        fits = isinstance(value, _TYPES[self.type]) and not isinstance(value, bool)
        if not fits or (isinstance(value, int | float) and value < 0):
            raise ConfigurationError(
                f"[rules.{rule}] {self.name} = {value!r}: expected {self.type} ({self.unit}), "
                f"for example {self.default!r}."
            )
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Detects one kind of problem."""

    id: str
    kind: Kind
    about: Literal["entry", "service", "task"]
    title: str
    finds: str
    why: str
    needs: tuple[str, ...]
    opens_at_once: bool
    critical_hits_per_hour: int
    when: str = ""
    """What must be there for the rule to find anything: what stands behind FROM."""
    open_after_hits: int = 0
    """Hits within a day that open a violation; 0: as many as for other rules."""
    summary: str
    suggestions: Mapping[str, str]
    settings: Mapping[str, RuleSetting]
    values: Mapping[str, object]
    sql: str
    scopes: tuple[Scope, ...] = ()
    """Where other values are in force, the most specific last."""
    origin: str = ""
    """The file of a user's rule; empty for those that come with hotspan."""

    def applies(self, database: Database, parameters: Mapping[str, object]) -> bool:
        """Whether there is anything in which the rule may find something."""
        return not self.when or exists(database, self.when, parameters)

    def suggest(self, key: str, values: Mapping[str, str]) -> str:
        """Say what to change; `key` is what the rule's SQL chose."""
        return _fill(self.suggestions[key], values)

    def summarise(self, count: int, wasted_ms: float, values: Mapping[str, str]) -> str:
        """Say in one line what happened, with its numbers."""
        numbers = {"count": str(count), "wasted": _duration(wasted_ms)}
        return _fill(self.summary, {**values, **numbers})


class _Known(dict[str, str]):
    """What a template may name; what is not known is left out."""

    def __missing__(self, key: str) -> str:
        return "…"


def _fill(template: str, values: Mapping[str, str]) -> str:
    return " ".join(template.format_map(_Known(values)).split())


def _duration(milliseconds: float) -> str:
    if milliseconds >= 1000:  # noqa: PLR2004 (a second)
        return f"{milliseconds / 1000:.1f} s"
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms"  # noqa: PLR2004
