"""What the API answers about rules, and takes to change their values."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 (read by pydantic)
from typing import Literal

from pydantic import Field, JsonValue

from hotspan_collector.api.wire import Model


class RuleSetting(Model):
    """A setting of a rule."""

    name: str
    type: str
    default: JsonValue
    value: JsonValue
    unit: str
    reason: str


class RuleScope(Model):
    """Values that hold where all conditions do; a condition that is empty always holds."""

    id: str = Field(default="", description="Of an override; empty in the settings file")
    kind: str = Field(default="", description="web, task or command")
    environment: str = ""
    service: str = ""
    entry: str = Field(default="", description="Route, task or command; * stands for anything")
    queue: str = ""
    fingerprint: str = Field(default="", description="Of one violation")
    values: dict[str, JsonValue]
    by: str = ""
    reason: str = ""


class RuleOverride(Model):
    """Values of a rule, for everything or for a place."""

    kind: str = Field(default="", description="web, task or command")
    environment: str = ""
    service: str = ""
    entry: str = Field(default="", description="Route, task or command; * stands for anything")
    queue: str = ""
    fingerprint: str = Field(default="", description="Of one violation, and nothing else")
    values: dict[str, JsonValue] = Field(description="Settings of the rule, by name")
    by: str = Field(default="", max_length=200, description="Who says so")
    reason: str = Field(default="", max_length=2000, description="Why")


class RuleRun(Model):
    """How a rule did when it last ran."""

    at: datetime
    duration_ms: float
    entries: int = Field(description="That it looked at")
    failures: int = Field(description="Since the collector's start")
    error: str = Field(description="Why it failed; empty when it did not")


class Rule(Model):
    """A rule of the catalogue."""

    id: str
    kind: str = Field(default="", description="structural: one entry at a time; window: many")
    origin: str = Field(default="", description="File of a rule of your own")
    state: Literal["ok", "failing", "not_run", "disabled"] = "not_run"
    last_run: RuleRun | None = None
    scopes: list[RuleScope] = Field(default=[], description="The most specific last: it wins")
    title: str
    finds: str
    why: str
    settings: list[RuleSetting]
    needs: list[str] = Field(description="Attributes that raise its confidence")
    docs: str


class RuleTrial(Model):
    """A rule to be tried over stored history."""

    file: str = Field(description="In the collector's folder for rules, such as drafts/slow.sql")
    since: str = Field(default="24h", description="RFC 3339, or how long ago")


class Rules(Model):
    """`GET /api/v1/rules`."""

    rules: list[Rule]
    canary: RuleRun | None = Field(
        default=None, description="Whether the rules find an entry that is made up for them"
    )
    problems: list[str] = Field(
        default=[], description="Rule files and overrides that cannot be used, and why"
    )
