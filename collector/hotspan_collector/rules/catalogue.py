"""The catalogue of rules: one file a rule, SQL with its metadata in front.

A rule file begins with a comment that holds TOML, and goes on with a SELECT over `rule_spans` and
`rule_entries` (evaluate.sql says what is in them). The SELECT returns the columns of `COLUMNS`.
Settings reach it as parameters, `{name:Type}`. Adding a rule is adding a file.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, get_args

from hotspan_collector.database import exists
from hotspan_collector.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hotspan_collector.database import Database

__all__ = ["COLUMNS", "Catalogue", "Rule", "RuleSetting", "load_catalogue", "parse_rule"]

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

_FILE = re.compile(r"\A/\*\s*(?P<metadata>.*?)\*/\s*(?P<sql>.*?);?\s*\Z", re.DOTALL)
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


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The rules that run, by id."""

    rules: Mapping[str, Rule]


def load_catalogue(
    *, values: Mapping[str, Mapping[str, object]] | None = None, disabled: Iterable[str] = ()
) -> Catalogue:
    """Read the rules that come with hotspan.

    Args:
        values: settings that differ from the defaults, by rule id.
        disabled: ids of rules to leave out.

    Raises:
        ConfigurationError: a rule or setting named does not exist, or a value does not fit.

    """
    given = dict(values or {})
    rules = {
        rule.id: rule
        for kind, name, text in _rule_files()
        for rule in [
            parse_rule(
                text, source=name, kind=kind, values=given.pop(name.removesuffix(".sql"), {})
            )
        ]
    }
    unknown = sorted({*given, *disabled} - rules.keys())
    if unknown:
        raise ConfigurationError(
            f"There is no rule {', '.join(unknown)}. There are: {', '.join(rules)}."
        )
    return Catalogue({key: rule for key, rule in rules.items() if key not in set(disabled)})


def _rule_files() -> Iterator[tuple[Kind, str, str]]:
    for kind in get_args(Kind):
        folder = files(__package__).joinpath(kind)
        for item in sorted(folder.iterdir(), key=lambda item: item.name):
            if item.name.endswith(".sql"):
                yield kind, item.name, item.read_text("utf-8")


def parse_rule(
    text: str, *, source: str, values: Mapping[str, object], kind: Kind = "structural"
) -> Rule:
    """Read one rule file.

    Raises:
        ConfigurationError: the file is not a rule, or a value does not fit.

    """
    match = _FILE.match(text)
    if match is None:
        raise ConfigurationError(f"{source} does not begin with a comment that holds TOML.")
    try:
        metadata = tomllib.loads(match["metadata"])
        settings = {
            name: RuleSetting(name=name, **setting)
            for name, setting in metadata.pop("settings", {}).items()
        }
        unknown = sorted(values.keys() - settings.keys())
        if unknown:
            raise ConfigurationError(
                f"[rules.{metadata['id']}] has no setting {', '.join(unknown)}. "
                f"It has: {', '.join(settings)}."
            )
        return Rule(
            **{"about": "entry", **metadata, "needs": tuple(metadata["needs"])},
            kind=kind,
            settings=settings,
            values={
                name: setting.check(metadata["id"], values.get(name, setting.default))
                for name, setting in settings.items()
            },
            sql=match["sql"],
        )
    except (tomllib.TOMLDecodeError, TypeError, KeyError) as error:
        raise ConfigurationError(f"{source} is not a rule: {error}") from error


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
