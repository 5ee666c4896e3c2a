"""Every rule has a page, made from its metadata."""

from pathlib import Path

import pytest

from hotspan_collector.rules.catalogue import load_catalogue
from hotspan_collector.rules.docs import rule_page

PAGES = Path(__file__).parents[2] / "docs" / "rules"


@pytest.mark.parametrize("name", sorted(load_catalogue().rules))
def test_a_rule_is_documented(name):
    """The page says what the rule's file says; `make docs` writes it."""
    expected = rule_page(load_catalogue().rules[name])

    assert (PAGES / f"{name}.md").read_text("utf-8") == expected
