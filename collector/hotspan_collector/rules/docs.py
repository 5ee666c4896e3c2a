"""Writes the documentation's page of each rule from its metadata: `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hotspan_collector.rules.catalogue import load_catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hotspan_collector.rules.catalogue import Rule, RuleSetting

__all__ = ["rule_index", "rule_page", "write_pages"]


def rule_page(rule: Rule) -> str:
    """Return a rule's page in Markdown."""
    return "\n".join(_lines(rule)).rstrip() + "\n"


def rule_index(rules: Iterable[Rule]) -> str:
    """Return the page that lists the rules."""
    rows = "\n".join(f"| [{rule.id}]({rule.id}.md) | {rule.finds} |" for rule in rules)
    return (
        "# Rules\n\nEach rule detects one kind of problem. Its settings are changed in the "
        "settings file, under\n`[rules.NAME]`.\n\n| Rule | Finds |\n|---|---|\n"
        f"{rows}\n\n```{{toctree}}\n:hidden:\n:glob:\n\n*\n```\n"
    )


def write_pages(folder: Path) -> None:
    """Write the pages of all rules, and take away those of rules that are gone."""
    rules = list(load_catalogue().rules.values())
    pages = {f"{rule.id}.md": rule_page(rule) for rule in rules} | {"index.md": rule_index(rules)}
    folder.mkdir(parents=True, exist_ok=True)
    for gone in {path.name for path in folder.glob("*.md")} - pages.keys():
        (folder / gone).unlink()
    for name, text in pages.items():
        (folder / name).write_text(text, "utf-8")


def _lines(rule: Rule) -> Iterator[str]:
    yield from (f"# {rule.title}", "", f"`{rule.id}`: {rule.finds}", "")
    yield from (rule.why.strip(), "")
    yield from ("## What to change", "")
    yield from (f"- {advice}" for advice in rule.suggestions.values())
    yield ""
    if rule.settings:
        yield from ("## Settings", "", f"In the settings file, under `[rules.{rule.id}]`:", "")
        yield from ("| Setting | Default | Unit | Why |", "|---|---|---|---|")
        yield from (_row(setting) for setting in rule.settings.values())
        yield ""
    if rule.needs:
        yield from ("## What it reads", "")
        yield "With these attributes, which hotspan's instrumentation adds, it is surer:"
        yield ""
        yield from (f"- `{attribute}`" for attribute in rule.needs)


def _row(setting: RuleSetting) -> str:
    return f"| `{setting.name}` | {setting.default} | {setting.unit} | {setting.reason} |"


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
