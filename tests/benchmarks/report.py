"""Writes measured numbers down for people."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

# What an export delay should lead to, at most, in seconds.
_GOALS_S = {1_000: 10, 5_000: 15}

_TEXT = """\
# Performance

Measured by `make bench` on {date}: {cpu}, {cores} cores, {memory_gib} GiB of memory, Python
{python}, chdb {chdb}. Senders and collector shared the machine, and its load was {load_before}
before the start. Ratios travel to other machines; absolute numbers do not. This page is written by
the benchmark (`tests/benchmarks`): run it on yours.

## From the end of a request to its violation

A process exports a request with too many queries through OpenTelemetry's SDK to a collector with
default settings. The time runs from the end of the request until `GET /api/v1/violations` shows it.

| the SDK exports every | measured | median | longest | goal |
|---|---|---|---|---|
{latency}

The distro of hotspan exports every second; five seconds are the SDK's own default. Of the time, the
collector waits 3 s for an entry to be complete (`HOTSPAN_SETTLE_S`).

## Spans stored

{senders} senders, requests of {spans_per_request} spans ({bytes_per_span} bytes each), over
OTLP/HTTP into the embedded store, for {seconds} s. Every span counted here was acknowledged, which
is after it was written and synced to disk; meanwhile the evaluator ran.

| | |
|---|---|
| spans a second | {spans_per_s:,} |
| requests refused, to be sent again | {refused_requests} |

## Evaluation

{entries:,} entries with {spans:,} spans, recorded from Django and Celery and multiplied, that have
all come at once; all rules.

| | |
|---|---|
| seconds for 10,000 entries | {seconds_per_10000_entries} |
| of CPU | {cpu_s_per_10000_entries} |
| findings | {findings:,} |
"""


def write_report(results: Mapping[str, Any], path: Path) -> None:
    """Write results as a page of the documentation."""
    rows = [
        f"| {each['export_delay_ms'] / 1000:.0f} s | {each['runs']} times | {each['median_s']} s "
        f"| {each['longest_s']} s | {_GOALS_S[each['export_delay_ms']]} s |"
        for each in results["latency"]
    ]
    values = {**results["machine"], **results["throughput"], **results["evaluation"]}
    path.write_text(_TEXT.format(latency="\n".join(rows), **values), encoding="utf-8")
