"""Rules: how each does, and where other values are in force."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from hotspan_ui.views import text
from hotspan_ui.views.fact import Fact
from hotspan_ui.views.violations import value_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pydantic import JsonValue

    from hotspan_ui.models import Rule, RuleRun, Rules, RuleScope

_ORDER: Final = {"failing": 0, "not_run": 2}
CONDITIONS: Final = ("kind", "environment", "service", "entry", "queue", "fingerprint")


def ordered(rules: Rules) -> tuple[Rule, ...]:
    """Return the rules, those that fail first."""
    return tuple(sorted(rules.rules, key=lambda each: _ORDER.get(each.state, 1)))


def label(rule: Rule) -> str:
    """Return a rule's name with what is wrong with it, as Markdown."""
    name = f"**{text.escaped(rule.title)}** {text.escaped(rule.id)}"
    if rule.state == "failing":
        return f"{name} :red-badge[failing]"
    set_here = sum(bool(each.id) for each in rule.scopes)
    return f"{name} :blue-badge[{set_here} set]" if set_here else name


def run_text(run: RuleRun | None, *, now: datetime) -> str:
    """Return how a rule did, in a line."""
    if run is None:
        return "Has not run yet: nothing has come that it could look at."
    noun = "entry" if run.entries == 1 else "entries"
    line = (
        f"Last run {text.ago(run.at, now=now)} over {text.count(run.entries)} {noun}, "
        f"{text.duration(run.duration_ms)}"
    )
    failed = f"; failed {text.count(run.failures)} times since the start" if run.failures else ""
    return f"{line}{failed}"


def canary_fact(canary: RuleRun | None, *, now: datetime) -> Fact:
    """Return whether the rules find what they must."""
    if canary is None:
        return Fact("Canary", text.NOTHING, "not looked for yet")
    if canary.error:
        return Fact("Canary", "not found", canary.error)
    return Fact(
        "Canary", "found", f"an entry made up for the rules, {text.ago(canary.at, now=now)}"
    )


def scope_text(scope: RuleScope) -> tuple[str, str]:
    """Return where values hold, and which; by whom and why."""
    where = ", ".join(
        f"{name} {getattr(scope, name)}" for name in CONDITIONS if getattr(scope, name)
    )
    values = ", ".join(f"{name} = {value_text(value)}" for name, value in scope.values.items())
    whose = f" by {scope.by}" if scope.by else ""
    origin = f"set{whose}" if scope.id else "settings file"
    why = f": {scope.reason}" if scope.reason else ""
    return where or "everywhere", f"{values} ({origin}{why})"


def override(
    name: str, value: str, *, where: Mapping[str, str], reason: str, by: str
) -> dict[str, JsonValue]:
    """Return what the API takes to set a value."""
    try:
        parsed: JsonValue = json.loads(value)
    except ValueError:
        parsed = value
    conditions = {key: each.strip() for key, each in where.items() if each.strip()}
    return {"values": {name: parsed}, **conditions, "reason": reason, "by": by}
