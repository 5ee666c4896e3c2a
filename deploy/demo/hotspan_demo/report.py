"""What the demo prints: violations with rule, place, cost, remedy and address; and the verdict."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from rich.markup import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from hotspan_collector.api.models import Fix, Violation
    from hotspan_demo.client import Found
    from hotspan_demo.verdict import PairVerdict, Verdict

__all__ = ["Result", "as_json", "print_table"]

STYLES = {"critical": "bold red", "warning": "yellow", "info": "cyan"}


@dataclass(frozen=True, slots=True)
class Result:
    """What a run led to.

    `incomplete` lists entries that the collector had not evaluated when the time was over,
    `violations` all that are known, also from earlier runs.
    """

    release: str
    found: Sequence[Found]
    verdict: Verdict
    incomplete: Sequence[str]
    ui_url: str
    violations: Sequence[Violation] = ()

    @property
    def passed(self) -> bool:
        return self.verdict.passed and not self.incomplete

    def violation_url(self, found: Found) -> str:
        return f"{self.ui_url}/violation?{urlencode({'id': found.finding.fingerprint})}"


def as_json(result: Result) -> str:
    """All of it, for programs."""
    document = {
        "release": result.release,
        "passed": result.passed,
        "findings": [found.finding.model_dump(mode="json") for found in result.found],
        "pairs": [pair_as_dict(pair) for pair in result.verdict.pairs],
        "clean": [
            {
                "title": verdict.clean.title,
                "entry": verdict.clean.trigger.entry,
                "rules": sorted({finding.rule for finding in verdict.findings}),
            }
            for verdict in result.verdict.clean
        ],
        "incomplete": list(result.incomplete),
        "violations": [
            {
                "rule": violation.rule,
                "entry": violation.entry,
                "status": violation.status,
                "reason": violation.status_reason,
                "regressed_release": violation.regressed_release,
                "fix": violation.fix.model_dump(mode="json") if violation.fix else None,
            }
            for violation in result.violations
        ],
    }
    return json.dumps(document, indent=2)


def pair_as_dict(verdict: PairVerdict) -> dict[str, str]:
    return {
        "case": verdict.case,
        "rule": verdict.pair.rule,
        "entry": verdict.pair.entry,
        "status": verdict.status,
        "reason": verdict.reason,
        "remains": verdict.pair.remains,
    }


def print_table(console: Console, result: Result, *, with_urls: bool) -> None:
    """All of it, for people."""
    print_violations(console, result, with_urls=with_urls)
    print_lifecycle(console, result)
    print_verdict(console, result)


def print_violations(console: Console, result: Result, *, with_urls: bool) -> None:
    count = len(result.found)
    noun = "violation" if count == 1 else "violations"
    console.print(f"\n[bold]{count} {noun} in release {result.release}[/bold]\n")
    for found in result.found:
        print_violation(console, found, url=result.violation_url(found) if with_urls else "")


def print_lifecycle(console: Console, result: Result) -> None:
    """What has become of what an earlier run has found."""
    for violation in result.violations:
        name = f"{violation.rule} in {violation.entry or violation.service}"
        if violation.status == "verified_fixed" and violation.fix is not None:
            fact = proof(violation.fix)
            console.print(f"[bold green]verified fixed[/bold green]  {escape(f'{name}: {fact}')}")
        if violation.status == "regressed":
            release = violation.regressed_release
            console.print(f"[bold red]regressed[/bold red]       {escape(f'{name}, in {release}')}")
        if violation.status == "resolving" and violation.fix is not None:
            count = f"{violation.fix.entries} of {violation.fix.entries_needed} entries without it"
            console.print(f"[green]resolving[/green]       {escape(f'{name}: {count}')}")


def proof(fix: Fix) -> str:
    return (
        f"{fix.entries} entries of {', '.join(fix.releases)} without it; "
        f"{fix.queries_before:.0f} → {fix.queries_after:.0f} queries, "
        f"{fix.duration_ms_before:.0f} → {fix.duration_ms_after:.0f} ms an entry"
    )


def print_violation(console: Console, found: Found, *, url: str) -> None:
    finding = found.finding
    style = STYLES[finding.severity]
    console.print(
        f"[{style}]{finding.severity:8}[/{style}] [bold]{finding.rule}[/bold]"
        f" in {escape(finding.entry)} ({escape(finding.service)},"
        f" {finding.confidence} confidence)",
        soft_wrap=True,
    )
    facts = {
        "what": found.summary or found.title,
        "where": place(found),
        "costs": cost(found),
        "change": finding.suggestion,
        "open": url,
    }
    for name, fact in facts.items():
        if fact:
            console.print(f"         {name:7}{escape(fact)}", soft_wrap=True, highlight=False)
    console.print()


def place(found: Found) -> str:
    code = found.finding.code
    return f"{code.file}:{code.line} in {code.function}" if code else ""


def cost(found: Found) -> str:
    times = "once" if found.finding.count == 1 else f"{found.finding.count} times"
    entries = "1 entry" if found.hits == 1 else f"{found.hits} entries"
    return f"{found.finding.wasted_ms:.0f} ms an entry; {times} in the worst of {entries}"


def print_verdict(console: Console, result: Result) -> None:
    pairs = result.verdict.pairs
    found = sum(pair.status == "found" for pair in pairs)
    later = [pair for pair in pairs if pair.status == "later"]
    wanted = "" if result.verdict.has_problems else ", and none should be"
    console.print(
        f"{found} of {len(pairs) - len(later)} pairs of case and rule found{wanted}.",
        highlight=False,
    )
    if later:
        rules = ", ".join(sorted({pair.pair.rule for pair in later}))
        console.print(f"{len(later)} more come with their rules: {rules}.", highlight=False)
    for verdict in result.verdict.unexpected:
        wrong = verdict.reason or "found, although this release has the fix"
        name = f"{verdict.case} / {verdict.pair.rule} in {verdict.pair.entry}"
        console.print(f"[bold red]wrong[/bold red]    {escape(f'{name}: {wrong}')}")
    for clean in result.verdict.clean:
        for finding in clean.findings:
            name = f"{finding.rule} in {finding.entry}, which is clean ({clean.clean.title})"
            console.print(f"[bold red]wrong[/bold red]    {escape(name)}")
    for missing in result.incomplete:
        console.print(f"[bold red]missing[/bold red]  {escape(missing)}")
