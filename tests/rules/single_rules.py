"""The rules that look at single operations and at time, each with its cases."""

import functools
import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from support.rule_cases import Case, Found, find

CASES: Mapping[str, Sequence[Case]] = {
    path.stem: importlib.import_module(f"rules.single.{path.stem}").CASES
    for path in sorted(Path(__file__).with_name("single").glob("*.py"))
}
"""A file a rule."""


@functools.cache
def found_in_single() -> Mapping[str, Mapping[str, Sequence[Found]]]:
    """Return what each rule finds in its cases: they are evaluated together, once."""
    return find(CASES)
