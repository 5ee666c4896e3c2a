"""The table of attributes in docs/instrumentation.md has what the code can emit, and no more."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import hotspan_instrumentation
from support.attributes_table import documented, rows, undocumented
from support.span_attributes import attributes

PACKAGE = Path(hotspan_instrumentation.__file__).parent
CONVENTIONS = {"stable", "development", "own"}

# Read from spans, to be masked or recognised, and not set: these are the stock instrumentors'.
READ_ONLY = {
    *("exception.message", "exception.stacktrace", "url.full", "url.query", "url.path"),
    *("http.request.method", "http.route"),
}
_OWN_NAME = re.compile(r"hotspan(\.[a-z_]+|\.<\w+>)+")
_FORMATTED = re.compile(r"\{[^}]*\}")


def _texts(tree: ast.AST) -> Iterator[str]:
    """Each text in a module's code; in formatted ones `<name>` stands for what is put in."""
    docstrings = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    inside = {
        part
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield _FORMATTED.sub("<name>", ast.unparse(node)[2:-1])
        elif isinstance(node, ast.Constant) and node not in docstrings | inside:
            yield str(node.value)


def _own() -> set[str]:
    """Our own names in the code."""
    found = {
        text
        for path in PACKAGE.rglob("*.py")
        for text in _texts(ast.parse(path.read_text()))
        if _OWN_NAME.fullmatch(text)
    }
    return {re.sub(r"<\w+>", "<name>", name) for name in found}


def _conventional() -> set[str]:
    """The names that the code imports from OpenTelemetry's conventions."""
    return {
        getattr(importlib.import_module(node.module), alias.name)
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("opentelemetry.semconv")
        for alias in node.names
    }


def test_own_attributes():
    """Each attribute of ours is in the table, and the table has none that the code does not."""
    written = {
        re.sub(r"<\w+>", "<name>", name) for name in documented() if name.startswith("hotspan.")
    }

    own = _own()
    beginnings = {name for name in own if name.endswith("<name>")}  # names that are put together
    put_together = {name for name in written if name.startswith(tuple(beginnings))}

    assert written - put_together == own - beginnings
    assert len(put_together) >= len(beginnings)


def test_conventional_attributes():
    """What the code takes from the conventions, to set it, is in the table."""
    assert _conventional() - READ_ONLY <= documented()


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[1])
def test_every_row_says_all(row):
    """Each attribute has a value, a source, a cost and a status."""
    _, _, value, source, cost, convention = row

    assert all([value, source, cost])
    assert convention in CONVENTIONS


def test_what_arrives_is_documented(bookshop, sink):
    """All that hotspan adds to real spans, in a run that uses a database in all ways, is known."""
    bookshop.run("python", "manage.py", "query_cases")
    arrived = {name for span in sink.spans() for name in attributes(span)}

    assert len({name for name in arrived if name.startswith(("hotspan.", "code."))}) > 20
    assert undocumented(arrived) == set()
