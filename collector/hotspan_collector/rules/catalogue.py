"""The catalogue of rules: one file a rule, SQL with its metadata in front.

A rule file begins with a comment that holds TOML, and goes on with a SELECT: a structural rule's
over `rule_spans` and `rule_entries`, a window rule's over `current_entries`. The SELECT returns the
columns of `COLUMNS`. Settings reach it as parameters, `{name:Type}`. Adding a rule is adding a
file: here, in a folder of one's own, or in a package with the entry point `hotspan.rules`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.resources import files
from typing import TYPE_CHECKING, get_args

from hotspan_collector.errors import ConfigurationError
from hotspan_collector.rules.rule import COLUMNS, Kind, Rule, RuleSetting
from hotspan_collector.rules.rule_file import parse_rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = [
    "COLUMNS",
    "ENTRY_POINT",
    "Catalogue",
    "Rule",
    "RuleSetting",
    "load_catalogue",
    "parse_rule",
]

ENTRY_POINT = "hotspan.rules"
"""Packages name modules under it, beside which rule files stand."""

_WORD = re.compile(r"\w+")


@dataclass(slots=True)
class Catalogue:
    """The rules that run, by id."""

    rules: Mapping[str, Rule]
    problems: tuple[str, ...] = ()
    """What is wrong with files that could not be read; their rules run as they were, or not."""

    def become(self, other: Catalogue) -> None:
        """Take the place of what ran until now, for all who hold this catalogue."""
        self.rules, self.problems = other.rules, other.problems


@dataclass(frozen=True, slots=True, kw_only=True)
class _RuleFile:
    name: str
    kind: Kind
    text: str
    origin: str = ""

    @property
    def rule_id(self) -> str:
        return self.name.removesuffix(".sql")


def load_catalogue(
    *,
    values: Mapping[str, Mapping[str, object]] | None = None,
    disabled: Iterable[str] = (),
    folder: Path | None = None,
    known: Catalogue | None = None,
) -> Catalogue:
    """Read the rules that come with hotspan, those of installed packages, and those of a folder.

    Args:
        values: settings that differ from the defaults, by rule id.
        disabled: ids of rules to leave out.
        folder: holds rule files of the user's own.
        known: what runs now. With it a file that is wrong is no error: its rule stays as it was.

    Raises:
        ConfigurationError: a rule or setting named does not exist, a value does not fit, or a file
            is not a rule.

    """
    given = dict(values or {})
    rules: dict[str, Rule] = {}
    problems: list[str] = []
    for file in (*_shipped(), *_of_packages(), *_of_folder(folder)):
        try:
            rule = _read(file, values=given.pop(file.rule_id, {}), others=rules)
        except ConfigurationError as error:
            if known is None:
                raise
            problems.append(str(error))
            former = known.rules.get(file.rule_id)
            if former is None or former.origin != file.origin:
                continue
            rule = former
        rules[rule.id] = rule
    unknown = sorted({*given, *disabled} - rules.keys())
    if unknown and known is None:
        raise ConfigurationError(
            f"There is no rule {', '.join(unknown)}. There are: {', '.join(rules)}."
        )
    running = {key: rule for key, rule in rules.items() if key not in set(disabled)}
    return Catalogue(running, tuple(problems))


def _read(file: _RuleFile, *, values: Mapping[str, object], others: Mapping[str, Rule]) -> Rule:
    source = file.origin or file.name
    rule = parse_rule(file.text, source=source, kind=file.kind, values=values, origin=file.origin)
    if rule.id != file.rule_id:
        raise ConfigurationError(f"{source}:1: its id is {rule.id}; name the file {rule.id}.sql.")
    words = set(_WORD.findall(rule.sql))
    missing = [name for name in COLUMNS if name not in words]
    if missing and "*" not in rule.sql:
        raise ConfigurationError(f"{source}:1: its SELECT returns no {', '.join(missing)}.")
    if rule.id in others:
        other = others[rule.id].origin or "hotspan itself"
        raise ConfigurationError(
            f"{source}:1: there is a rule {rule.id} already, of {other}; choose another id."
        )
    return rule


def _shipped() -> Iterator[_RuleFile]:
    for kind in get_args(Kind):
        folder = files(__package__).joinpath(kind)
        for item in sorted(folder.iterdir(), key=lambda item: item.name):
            if item.name.endswith(".sql"):
                yield _RuleFile(name=item.name, kind=kind, text=item.read_text("utf-8"))


def _of_packages() -> Iterator[_RuleFile]:
    for each in sorted(entry_points(group=ENTRY_POINT), key=lambda each: each.name):
        try:
            items = sorted(files(each.module).iterdir(), key=lambda item: item.name)
        except (ImportError, OSError) as error:
            raise ConfigurationError(
                f"The entry point {each.name} of {ENTRY_POINT} names {each.module}, which cannot "
                f"be read: {error}."
            ) from error
        for item in items:
            if item.name.endswith(".sql"):
                origin = f"{each.module}/{item.name}"
                text = item.read_text("utf-8")
                yield _RuleFile(name=item.name, kind="structural", text=text, origin=origin)


def _of_folder(folder: Path | None) -> Iterator[_RuleFile]:
    if folder is None:
        return
    if not folder.is_dir():
        raise ConfigurationError(
            f"HOTSPAN_RULES_DIR = {folder} is no folder; create it, or leave the setting out."
        )
    for path in sorted(folder.glob("*.sql")):
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path}:1: cannot be read: {error}.") from error
        yield _RuleFile(name=path.name, kind="structural", text=text, origin=str(path))
