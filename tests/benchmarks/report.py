"""Writes measured numbers down for people."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from report_growth import growth_section
from report_scale import scale_sections

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
| seconds | {evaluation_s} |
| CPU a span, on both cores together | {cpu_us_per_span} µs |
| CPU of an evaluation of one entry | {one_entry_cpu_ms} ms |
| findings | {findings:,} |

{scale}## What the instrumentation costs a request

The order list of the demo shop makes {queries} queries (SQLite, DEBUG off). Each variant runs in a
process of its own, with its own exporter to a server that takes all; they take turns of
{requests} requests, {rounds} times, and each is compared with stock OpenTelemetry of the same
round: the median, and in brackets the middle half. CPU time is all of the process's, with encoding
and export. The load of the machine was {load} before the start.

| | CPU a request | against stock | a query, against stock | latency, against stock |
|---|---|---|---|---|
{instrumentation}

sentry-sdk runs with `traces_sample_rate=1`, ddtrace without its profiler, telemetry and remote
configuration. The goals: at most 10 % of latency and 15 µs a query more than stock OpenTelemetry,
and less than both others.
"""

_VARIANTS = {
    "plain": "Django alone",
    "stock": "stock OpenTelemetry",
    "hotspan": "**hotspan**",
    "sentry": "sentry-sdk",
    "ddtrace": "ddtrace",
}


def write_report(results: Mapping[str, Any], path: Path) -> None:
    """Write results as a page of the documentation."""
    rows = [
        f"| {each['export_delay_ms'] / 1000:.0f} s | {each['runs']} times | {each['median_s']} s "
        f"| {each['longest_s']} s | {_GOALS_S[each['export_delay_ms']]} s |"
        for each in results["latency"]
    ]
    cost = results["instrumentation"]
    costs = [_cost(title, cost["variants"][name]) for name, title in _VARIANTS.items()]
    values = {**results["machine"], **results["throughput"], **results["evaluation"]}
    values |= {key: value for key, value in cost.items() if key != "variants"}
    values["scale"] = growth_section(results) + scale_sections(results)
    text = _TEXT.format(latency="\n".join(rows), instrumentation="\n".join(costs), **values)
    path.write_text(text, encoding="utf-8")


def _cost(title: str, found: Mapping[str, Any]) -> str:
    """Return a variant's row: what it takes, and how that compares with stock OpenTelemetry."""
    if found["cpu_ratio"] == [1, 1, 1]:
        return f"| {title} | {found['cpu_ms']} ms | | | |"
    cells = (
        _spread([100 * (ratio - 1) for ratio in found["cpu_ratio"]], " %"),
        _spread(found["query_us"], " µs"),
        _spread([100 * (ratio - 1) for ratio in found["latency_ratio"]], " %"),
    )
    return f"| {title} | {found['cpu_ms']} ms | " + " | ".join(cells) + " |"


def _spread(quartiles: list[float], unit: str) -> str:
    low, middle, high = quartiles
    return f"{middle:+.0f}{unit} ({low:+.0f} … {high:+.0f})"
