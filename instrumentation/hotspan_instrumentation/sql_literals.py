"""Statements without the values that somebody wrote into them."""

import re
from dataclasses import dataclass
from typing import Final

_NUMBER: Final = r"(?<!\w)(?:0x[0-9a-f]+|\d+(?:\.\d*)?(?:e[+-]?\d+)?)(?!\w)"

# Placeholders, and what Django itself writes: it says what kind of query this is.
_KEPT: Final = r"%\(\w+\)s|%s|[:@$]\w+|\bLIMIT\s+\d+|\bSELECT\s+(?:1|\(1\))(?=\s+AS\s)"

_FLAGS: Final = re.IGNORECASE | re.DOTALL

# What is not closed counts to the end: better too little of a statement than a value.
_STANDARD: Final = re.compile(
    r"(?P<literal>\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z)"
    r"|\be'(?:[^'\\]|\\.|'')*(?:'|\Z)"
    r"|(?:\b[nbx]|\bu&)?'(?:[^']|'')*(?:'|\Z)"
    r'|"(?:[^"]|"")*\Z|`[^`]*\Z'  # a name that is not closed may be anything
    r"|" + _NUMBER + r")"
    r"|(?P<comment>/\*.*?(?:\*/|\Z)|--[^\n]*)"
    r'|(?P<kept>"(?:[^"]|"")*"|`[^`]*`|' + _KEPT + ")",
    _FLAGS,
)
_MYSQL: Final = re.compile(
    r"(?P<literal>(?:\b[nbx])?'(?:[^'\\]|\\.|'')*(?:'|\Z)"
    r'|"(?:[^"\\]|\\.|"")*(?:"|\Z)|`[^`]*\Z'
    r"|" + _NUMBER + r")"
    r"|(?P<comment>/\*.*?(?:\*/|\Z)|--\s[^\n]*|\#[^\n]*)"
    r"|(?P<kept>`[^`]*`|" + _KEPT + ")",
    _FLAGS,
)


@dataclass(frozen=True, slots=True)
class MaskedStatement:
    """A statement with `?` for each literal, without comments; and the literals."""

    text: str
    literals: tuple[str, ...]


def mask_literals(statement: str, *, database_system: str) -> MaskedStatement:
    """Return a statement without its literals.

    The limit of a query is kept, and so are identifiers in quotes.

    Args:
        statement: SQL.
        database_system: As in `db.system.name`: MySQL has rules of its own for quotes.

    """
    literals: list[str] = []

    def replace(match: re.Match[str]) -> str:
        match match.lastgroup:
            case "kept":
                return match[0]
            case "comment":
                return ""
            case _:
                literals.append(match[0])
                return "?"

    pattern = _MYSQL if database_system in {"mysql", "mariadb"} else _STANDARD
    text = pattern.sub(replace, statement).strip()
    return MaskedStatement(text, tuple(literals))
