"""Reads the SQL that stands in .sql files beside the code that runs it.

A file holds named blocks, each introduced by a line `-- name: block`. What follows is one
statement, comments included; they reach the server's log, where they help.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["literal", "load_blocks", "load_blocks_of", "split_statements"]

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


def literal(value: object) -> str:
    """Return text as a ClickHouse literal, for places that take no parameter."""
    escaped = str(value).replace("\\", "\\\\").replace("'", "\\'")
    # A brace would begin a parameter.
    return "'" + escaped.replace("{", "\\x7B") + "'"


def load_blocks(package: str, filename: str) -> Mapping[str, str]:
    """Return the named statements of a .sql file of `package`, without trailing semicolons."""
    return load_blocks_of(files(package).joinpath(filename).read_text("utf-8"))


def load_blocks_of(text: str) -> Mapping[str, str]:
    """Return the named statements of a .sql file's text."""
    parts = _NAME.split(text)
    return {
        name: body.strip().removesuffix(";")
        for name, body in zip(parts[1::2], parts[2::2], strict=True)
    }


def split_statements(text: str) -> list[str]:
    """Split a script at the semicolons that end a line; comments stay with what they precede."""
    statements: list[str] = []
    lines: list[str] = []
    for line in text.splitlines():
        lines.append(line)
        if line.rstrip().endswith(";") and not line.lstrip().startswith("--"):
            statements.append("\n".join(lines).strip().removesuffix(";"))
            lines = []
    rest = "\n".join(lines).strip()
    return [*statements, rest] if rest else statements
