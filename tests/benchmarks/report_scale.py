# ruff: noqa: E501 (rows of tables)
"""The sections about Rotel and about much stored, for people."""

from collections.abc import Mapping
from typing import Any

_ROTEL = """\
## Beside Rotel

Rotel is a collector in Rust with an exporter for ClickHouse. Both take the same requests of {spans} spans
({bytes} bytes each) from {senders} senders over OTLP/HTTP into the same ClickHouse server, {run_s:.0f} s
each, in turn, {rounds} times; here are the medians. What counts is what the server holds at the end, and
the time until it does: Rotel acknowledges before it stores, hotspan after. hotspan runs with
`--roles ingest`. CPU is of collector and server together, with merges. The load of the machine was {load}
before the start.

| | hotspan | Rotel | goal |
|---|---|---|---|
| spans stored a second | {ours[spans_per_s]:,} | {theirs[spans_per_s]:,} | 2 times Rotel's |
| CPU a span | {ours[cpu_us_per_span]} µs | {theirs[cpu_us_per_span]} µs | half of Rotel's |
| of this, the collector's | {ours[collector_cpu_us_per_span]} µs | {theirs[collector_cpu_us_per_span]} µs | |
| most memory of the collector | {ours[peak_memory_mib]:,} MiB | {theirs[peak_memory_mib]:,} MiB | 1,024 MiB |
| acknowledged and not stored | {ours[lost_spans]:,} | {theirs[lost_spans]:,} | 0 |
| bytes a span on disk | {ours[bytes_per_span]} | {theirs[bytes_per_span]} | 0.6 times Rotel's |

"""

_AT_SCALE = """\
## With {spans_stored:,} spans stored

Recorded spans, over and over, with traces of their own, spread over three days, on a ClickHouse server;
the same ones in the table of OpenTelemetry's exporter, with its indexes. Medians of {runs} questions,
each for another trace or value, asked the way hotspan's API does, and in the exporter's case in one
statement. On disk a span takes {bytes_per_span[hotspan]} bytes, in the exporter's table
{bytes_per_span[exporter]}, when all is merged. The load of the machine was {load} before the start.

| question | hotspan | exporter's schema | goal |
|---|---|---|---|
{questions}

With {findings_stored:,} findings, what pages of the UI ask for besides:

| question | hotspan |
|---|---|
{pages}

What the same insert and the same evaluation cost, with little stored and with much. The goal is at most
20 % more.

| spans stored | spans inserted a second, one after the other | CPU of the server a span inserted | CPU of the server an entry evaluated |
|---|---|---|---|
{growth}

"""


def scale_sections(results: Mapping[str, Any]) -> str:
    """Return the sections, or nothing for what was not measured."""
    return _beside_rotel(results) + _at_scale(results)


def _beside_rotel(results: Mapping[str, Any]) -> str:
    found = results.get("rotel")
    if found is None:
        return ""
    return _ROTEL.format(
        spans=found["spans_per_request"],
        bytes=found["bytes_per_span_sent"],
        senders=found["senders"],
        run_s=found["run_s"],
        rounds=found["rounds"],
        load=found["load"],
        ours=found["hotspan"],
        theirs=found["rotel"],
    )


def _at_scale(results: Mapping[str, Any]) -> str:
    found = results.get("at_scale")
    if found is None:
        return ""
    questions = [
        f"| {each['question']} | {each['hotspan_ms']} ms | {each['exporter_ms']} ms "
        f"| {each['goal_ms']} ms |"
        for each in found["questions"]
    ]
    pages = [f"| {each['question']} | {each['hotspan_ms']} ms |" for each in found.get("pages", ())]
    growth = [
        f"| {each['spans_stored']:,} | {each['ingest_spans_per_s']:,} "
        f"| {each['ingest_cpu_us_per_span']} µs | {each['evaluation_cpu_us_per_entry']} µs |"
        for each in found["growth"]
    ]
    values = {
        "findings_stored": 0,
        **found,
        "questions": "\n".join(questions),
        "pages": "\n".join(pages),
        "growth": "\n".join(growth),
    }
    return _AT_SCALE.format(**values)
