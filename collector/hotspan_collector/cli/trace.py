"""`hotspan trace`."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hotspan_collector.api.models import Finding, Trace
from hotspan_collector.cli.client import ApiKey, ApiUrl, open_api
from hotspan_collector.cli.span_tree import Line, tree_lines
from hotspan_collector.cli.terminal import (
    TIMES,
    count_text,
    duration_text,
    open_console,
    place_text,
    printable,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

__all__ = ["trace"]

_COLUMNS = re.compile(r"^\s*SELECT\s.{20,}?\sFROM\b", re.IGNORECASE | re.DOTALL)


class TraceFormat(StrEnum):
    """What `hotspan trace` prints."""

    TREE = "tree"
    JSON = "json"


def trace(
    trace_id: Annotated[str, typer.Argument(metavar="ID", help="32 hex digits.")],
    *,
    every: Annotated[
        bool, typer.Option("--all", help="Show spans that are alike one by one.")
    ] = False,
    output: Annotated[
        TraceFormat, typer.Option("--format", help="What to print; JSON is the API's answer.")
    ] = TraceFormat.TREE,
    api_url: ApiUrl = "http://127.0.0.1:4319",
    api_key: ApiKey = "",
) -> None:
    """Show the spans of a trace as a tree, what rules found in it marked with ◆.

    Examples:
      hotspan trace 0af7651916cd43dd8448eb211c80319c

      hotspan trace 0af7651916cd43dd8448eb211c80319c --all | less

    Exit codes: 0 answered, 1 no such trace, 2 no trace id, 3 API not reachable.

    """
    with open_api(api_url, api_key) as api:
        path = f"/traces/{_checked(trace_id)}"
        if output is TraceFormat.JSON:
            typer.echo(api.get(path))
            return
        found = api.read(Trace, path)
    _print(open_console(), found, every=every)


def _checked(trace_id: str) -> str:
    plain = trace_id.strip().lower()
    if len(plain) == 32 and set(plain) <= set("0123456789abcdef"):  # noqa: PLR2004 (hex digits)
        return plain
    raise typer.BadParameter(
        f"{trace_id!r} is no trace id: expected 32 hex digits, such as "
        "0af7651916cd43dd8448eb211c80319c.",
        param_hint="ID",
    )


def _print(console: Console, found: Trace, *, every: bool) -> None:
    facts = (
        found.start.isoformat(sep=" ", timespec="milliseconds"),
        duration_text(found.duration_ms),
        count_text(found.total_spans, "span"),
        ", ".join(found.services),
    )
    console.print(Text(f"Trace {found.trace_id}", style="bold"))
    console.print(Text(printable(" · ".join(facts)), style="dim"))
    marks = _marks(found.findings)
    console.print()
    console.print(_tree(tree_lines(found.spans, fold=not every), marks))
    if found.truncated:
        console.print(
            f"… and {count_text(found.total_spans - len(found.spans), 'more span')}: raise "
            "HOTSPAN_MAX_TRACE_SPANS of the collector to see them.",
            style="yellow",
        )
    for finding in found.findings:
        console.print()
        console.print(_finding(finding))


def _marks(findings: Sequence[Finding]) -> Mapping[str, str]:
    return {span_id: finding.rule for finding in findings for span_id in finding.evidence.span_ids}


def _tree(lines: Sequence[Line], marks: Mapping[str, str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1), expand=True, header_style="dim")
    table.add_column("at", justify="right", no_wrap=True)
    table.add_column("took", justify="right", no_wrap=True)
    table.add_column("span", ratio=1, no_wrap=True, overflow="ellipsis")
    for line in lines:
        table.add_row(
            duration_text(line.span.start_us / 1000) if line.span.start_us else "0",
            duration_text(line.total_us / 1000),
            _span(line, marks),
        )
    return table


def _span(line: Line, marks: Mapping[str, str]) -> Text:
    span = line.span
    rules = sorted({marks[span_id] for span_id in line.span_ids if span_id in marks})
    text = Text(line.indent, style="dim")
    if rules:
        text.append("◆ ", style="bold red")
    if line.times > 1:
        text.append(f"{line.times} {TIMES} ", style="bold")
    text.append(
        printable(_shortened(span.statement or span.name)),
        style="bold red" if span.status == "error" else "",
    )
    notes = [
        "parent missing" if line.orphan else "",
        f"{span.kind} {span.service}" if span.kind in {"server", "consumer", "producer"} else "",
        "error" if span.status == "error" else "",
        ", ".join(rules),
    ]
    note = " · ".join(each for each in notes if each)
    return text.append(f"  {printable(note)}", style="dim") if note else text


def _finding(finding: Finding) -> Group:
    head = Text.assemble(
        ("◆ ", "bold red"),
        (finding.rule, "bold"),
        printable(
            f"  {finding.severity}, confidence {finding.confidence}: {finding.count:,} {TIMES} in "
            f"{finding.entry}, {duration_text(finding.wasted_ms)} lost"
        ),
    )
    details = [
        Text(printable(place_text(finding.code)), style="cyan"),
        Text(printable(f"→ {finding.suggestion}" if finding.suggestion else ""), style="green"),
    ]
    return Group(head, *(Padding(text, (0, 0, 0, 2), expand=False) for text in details if text))


def _shortened(statement: str) -> str:
    # Django names every column; what a reader looks for stands behind them.
    return _COLUMNS.sub("SELECT … FROM", statement)
