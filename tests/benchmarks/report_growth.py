# ruff: noqa: E501 (rows of tables)
"""The section about evaluations as the store grows, for people."""

from collections.abc import Mapping
from typing import Any

_TEXT = """\
## Evaluation as the store grows

Embedded, recorded entries over and over, over a day, evaluated long ago; then {fresh_spans:,} spans
come at once, and one tick evaluates them with all rules. The load of the machine was {load} before
the start.

| spans stored | spans that came | seconds of the tick | CPU | goal |
|---|---|---|---|---|
{curve}

| | measured | goal |
|---|---|---|
| all structural rules over {rules_spans:,} spans ({rules_entries:,} entries) | {rules_s} s | 3 s |
| CPU of these rules, a span | {rules_cpu_us_per_span} µs | 3 µs |
| all rules over windows, over a day with {window_entries:,} entries | {windows_s} s | 2 s |
| evidence, of the size of the spans | {evidence_percent} % | 5 % |
| memory of a tick over one task of a million spans, 20,000 of them a chain | {huge_mib:,} MiB | 1,024 MiB |
| seconds of that tick | {huge_s} | |

"""
_MOST_STORED = 10_000_000


def growth_section(results: Mapping[str, Any]) -> str:
    """Return the section, or nothing when it was not measured."""
    found = results.get("growth")
    if found is None:
        return ""
    curve = "\n".join(
        f"| {each['stored']:,} | {each['spans']:,} | {each['seconds']} | {each['cpu_s']} s "
        f"| {'1 s' if each['stored'] >= _MOST_STORED else ''} |"
        for each in found["curve"]
    )
    huge = found["huge"]
    values = {**found, "curve": curve, "huge_mib": huge["memory_mib"], "huge_s": huge["seconds"]}
    return _TEXT.format(**values)
