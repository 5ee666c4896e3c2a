"""Reads rule files: a comment that holds TOML, and a SELECT.

An error names the file and the line, as compilers do.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, NoReturn, get_args

from hotspan_collector.errors import ConfigurationError
from hotspan_collector.rules.rule import Kind, Rule, RuleSetting
from hotspan_collector.rules.scopes import in_order, parse_scope

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["parse_rule"]

SCOPES = "where"
"""Under this name of a rule's values stand those that hold only somewhere."""

_FILE = re.compile(r"\A/\*\s*(?P<metadata>.*?)\*/\s*(?P<sql>.*?);?\s*\Z", re.DOTALL)
_TOML_LINE = re.compile(r"\s*\(at line (\d+), column \d+\)")
_ID = re.compile(r"[a-z][a-z0-9_]*")
_GIVEN = {"kind", "settings", "values", "sql", "scopes", "origin"}
_KEYS = {each.name for each in fields(Rule)} - _GIVEN
_NEEDED = {
    each.name
    for each in fields(Rule)
    if each.name in _KEYS and each.default is MISSING and each.name != "about"
}


def parse_rule(
    text: str,
    *,
    source: str,
    values: Mapping[str, object],
    kind: Kind = "structural",
    origin: str = "",
) -> Rule:
    """Read one rule file.

    Args:
        text: of the file.
        source: its name, for errors.
        values: settings that differ from the defaults, and scopes under `where`.
        kind: unless the file says which.
        origin: where a user's rule comes from.

    Raises:
        ConfigurationError: the file is not a rule, or a value does not fit.

    """
    match = _FILE.match(text)
    if match is None:
        raise ConfigurationError(
            f"{source}:1: the file does not begin with a comment that holds TOML, /* … */."
        )
    first_line = text[: match.start("metadata")].count("\n") + 1
    try:
        metadata = tomllib.loads(match["metadata"])
    except tomllib.TOMLDecodeError as error:
        at = _TOML_LINE.search(str(error))
        line = first_line + (int(at[1]) - 1 if at else 0)
        reason = _TOML_LINE.sub("", str(error))
        raise ConfigurationError(f"{source}:{line}: is not a rule: {reason}.") from error
    reader = _Reader(source=source, lines=match["metadata"].splitlines(), first_line=first_line)
    return reader.read(metadata, sql=match["sql"], values=values, kind=kind, origin=origin)


class _Reader:
    """Turns metadata into a rule, and knows the line of what is wrong."""

    def __init__(self, *, source: str, lines: list[str], first_line: int) -> None:
        self._source = source
        self._lines = lines
        self._first_line = first_line

    def read(
        self,
        metadata: dict[str, Any],
        *,
        sql: str,
        values: Mapping[str, object],
        kind: Kind,
        origin: str,
    ) -> Rule:
        kind = metadata.pop("kind", kind)
        if kind not in get_args(Kind):
            self._refuse("kind", f"kind = {kind!r}; expected one of {', '.join(get_args(Kind))}")
        settings = {
            name: self._setting(name, table) for name, table in metadata.pop("settings", {}).items()
        }
        self._check(metadata)
        rule_id = metadata["id"]
        given = dict(values)
        scopes = [parse_scope(rule_id, settings, table) for table in _tables(rule_id, given)]
        return Rule(
            **{"about": "entry", **metadata, "needs": tuple(metadata["needs"])},
            kind=kind,
            settings=settings,
            values=_values(rule_id, settings, given),
            sql=sql,
            scopes=in_order(scopes),
            origin=origin,
        )

    def _check(self, metadata: Mapping[str, object]) -> None:
        for name in sorted(_NEEDED - metadata.keys()):
            self._refuse("", f"is not a rule: {name} is missing")
        for name in sorted(metadata.keys() - _KEYS):
            self._refuse(name, f"is not a rule: there is no {name}; there are {_sorted(_KEYS)}")
        if not _ID.fullmatch(str(metadata["id"])):
            self._refuse("id", f"id = {metadata['id']!r}; expected lower case and underscores")

    def _setting(self, name: str, table: Mapping[str, Any]) -> RuleSetting:
        try:
            setting = RuleSetting(name=name, **table)
            setting.check("", setting.default)
        except (TypeError, KeyError, ConfigurationError) as error:
            self._refuse(f"[settings.{name}]", f"is not a rule: [settings.{name}]: {error}")
        return setting

    def _refuse(self, mark: str, reason: str) -> NoReturn:
        line = next(
            (
                number
                for number, each in enumerate(self._lines, self._first_line)
                if mark and each.strip().startswith(mark)
            ),
            self._first_line,
        )
        raise ConfigurationError(f"{self._source}:{line}: {reason}.")


def _tables(rule_id: str, given: dict[str, object]) -> list[Mapping[str, object]]:
    tables = given.pop(SCOPES, [])
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise ConfigurationError(
            f"[rules.{rule_id}] {SCOPES} = {tables!r}: expected tables, [[rules.{rule_id}.where]]."
        )
    return tables


def _values(
    rule_id: str, settings: Mapping[str, RuleSetting], given: Mapping[str, object]
) -> dict[str, object]:
    unknown = sorted(given.keys() - settings.keys())
    if unknown:
        raise ConfigurationError(
            f"[rules.{rule_id}] has no setting {', '.join(unknown)}. It has: {', '.join(settings)}."
        )
    return {
        name: setting.check(rule_id, given.get(name, setting.default))
        for name, setting in settings.items()
    }


def _sorted(names: set[str]) -> str:
    return ", ".join(sorted(names))
