"""Findings for people: one block a violation and place."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.text import Text

from hotspan_collector.cli.terminal import (
    count_text,
    duration_text,
    open_console,
    place_text,
    printable,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotspan_collector.api.models import Finding
    from hotspan_collector.check.run import Outcome
    from hotspan_collector.rules.catalogue import Catalogue

__all__ = ["print_table"]

_STYLES = {"critical": "bold red", "warning": "bold yellow", "info": "bold blue"}
_INDENT = (0, 0, 0, 10)


def print_table(outcome: Outcome, catalogue: Catalogue) -> None:
    """Print what was found, worst first."""
    console = open_console()
    groups = _by_violation(outcome.findings)
    for group in groups:
        worst = group[0]
        head = Text(f"{worst.severity.upper():<10}", style=_STYLES[worst.severity])
        head.append(
            printable(f"{catalogue.rules[worst.rule].title} in {worst.entry or worst.service}"),
            style="bold white",
        )
        console.print(head)
        for line in _details(group, catalogue):
            console.print(Padding(line, _INDENT, expand=False))
        console.print()
    entries = count_text(outcome.entries, "entry", "entries")
    found = count_text(len(groups), "problem") if groups else "Nothing"
    console.print(f"{found} found in {count_text(outcome.spans, 'span')}, {entries}.")


def _by_violation(findings: Sequence[Finding]) -> list[list[Finding]]:
    order = {id(finding): number for number, finding in enumerate(findings)}
    ordered = sorted(findings, key=lambda finding: finding.fingerprint)
    groups = [list(each) for _, each in groupby(ordered, key=lambda f: f.fingerprint)]
    return sorted(groups, key=lambda group: order[id(group[0])])


def _details(group: Sequence[Finding], catalogue: Catalogue) -> list[Text]:
    worst = group[0]
    rule = catalogue.rules[worst.rule]
    values = {name: str(value) for name, value in worst.evidence.details.items()}
    summary = rule.summarise(worst.count, worst.wasted_ms, {"entry": worst.entry, **values})
    entries = len({(each.trace_id, each.entry_span_id) for each in group})
    lines = [
        Text(printable(summary)),
        Text(
            printable(
                f"{worst.service} · confidence {worst.confidence} · in "
                f"{count_text(entries, 'entry', 'entries')}, {duration_text(worst.wasted_ms)} in "
                f"the worst one: trace {worst.trace_id}"
            ),
            style="dim",
        ),
    ]
    places = dict.fromkeys(place_text(each.code) for each in group if each.code)
    lines += [Text(printable(place), style="cyan") for place in places]
    if worst.evidence.statement:
        lines.append(Text(printable(worst.evidence.statement)[:300], style="dim"))
    if worst.suggestion:
        lines.append(Text(f"→ {printable(worst.suggestion)}", style="green"))
    return lines
