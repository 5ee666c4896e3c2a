# ruff: noqa: E501 (rows of tables)
"""What a million spans a second needs, computed from what was measured."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SPANS_PER_S = 1_000_000
_MOST_USED = 0.6
"""Of a core, so that a peak or a missing machine does not stop everything."""
_CORES_A_MACHINE = 16
_RETENTION_DAYS = 30
_COPIES = 2
_OUTAGE_S = 600
_DAY_S = 86_400

_TEXT = """\
# Scaling

What a million spans a second needs. This page is computed from the numbers of
[Performance](performance.md) (`make bench`), which were measured on {machine[cpu]}, {machine[cores]} cores,
with the senders on the same machine; a test fails when the two differ. It assumes that cost grows with
the number of spans and with nothing else, which is what the last table of Performance looks at, and it
leaves {idle:.0f} % of every core idle. Measure on your machines, with your spans, before you buy any.

| what | computed from | a million spans a second |
|---|---|---|
| network into the collectors | {sent} bytes a span, not compressed | {network_gbit:.1f} Gbit/s |
| collectors (`--roles ingest`) | {collector_us} µs of CPU a span | {collector_cores} cores; a process uses little more than one: {collectors} processes, {collector_memory_gib} GiB |
| load balancer | | by request (HTTP/2), in front of these |
| ClickHouse, storing | {server_us} µs of CPU a span, with merges | {server_cores} cores: {shards} shards of {cores} cores |
| ClickHouse, evaluating | {evaluation_us} µs of CPU a span, all rules | {evaluation_cores} cores |
| disk, written | {bytes_per_span} bytes a span | {written_mb_s:.0f} MB/s |
| disk, kept for {retention} days | the same | {kept_tb:.0f} TB, {copies} copies {all_tb:.0f} TB |
| spools | {sent} bytes a span, {outage_min} minutes without ClickHouse | {spool_gb:.0f} GB, on volumes of their own |

## What works today, and what does not

- **Collectors** share nothing and scale with their number: roles, a spool each, a load balancer in front
  ([Operations](operations.md)).
- **One evaluator** at a time evaluates a store, on one ClickHouse server, also of a cluster. The row above says how many
  cores its statements need; what one server cannot do, it falls behind with, which `/readyz`, `/metrics` and
  `hotspan doctor` tell, while spans go on being stored. Sample at the source before that: rules weigh
  what is sampled.
{cluster}- Retention by service is what makes the disk smaller without losing what matters.
"""

_CLUSTER = """\
- **A cluster** of several ClickHouse servers stores by trace, and is tested on two shards
  ([Operations](operations.md)). The shards have done their part of the work when spans are stored,
  duplicates told and what has come is found; the rules run on the evaluator's node. With replicas: parsed,
  never run.
"""


def scaling_page(results: Mapping[str, Any]) -> str:
    """Return the page."""
    rotel, evaluation = results["rotel"], results["evaluation"]
    ours = rotel["hotspan"]
    collector_us = ours["collector_cpu_us_per_span"]
    server_us = round(ours["cpu_us_per_span"] - collector_us, 1)
    collector_cores, server_cores = _cores(collector_us), _cores(server_us)
    written_bytes_s = ours["bytes_per_span"] * SPANS_PER_S
    kept_tb = written_bytes_s * _DAY_S * _RETENTION_DAYS / 1e12
    return _TEXT.format(
        machine=results["machine"],
        idle=100 * (1 - _MOST_USED),
        sent=rotel["bytes_per_span_sent"],
        network_gbit=rotel["bytes_per_span_sent"] * SPANS_PER_S * 8 / 1e9,
        collector_us=collector_us,
        collector_cores=collector_cores,
        collectors=collector_cores,
        collector_memory_gib=math.ceil(collector_cores * ours["peak_memory_mib"] / 1024),
        server_us=server_us,
        server_cores=server_cores,
        shards=math.ceil(server_cores / _CORES_A_MACHINE),
        cores=_CORES_A_MACHINE,
        evaluation_us=evaluation["cpu_us_per_span"],
        evaluation_cores=_cores(evaluation["cpu_us_per_span"]),
        bytes_per_span=ours["bytes_per_span"],
        written_mb_s=written_bytes_s / 1e6,
        retention=_RETENTION_DAYS,
        kept_tb=kept_tb,
        copies=_COPIES,
        all_tb=_COPIES * kept_tb,
        outage_min=_OUTAGE_S // 60,
        spool_gb=rotel["bytes_per_span_sent"] * SPANS_PER_S * _OUTAGE_S / 1e9,
        cluster=_CLUSTER,
    )


def write_scaling(results: Mapping[str, Any], path: Path) -> None:
    """Write the page, when what it needs was measured."""
    if "rotel" in results and "evaluation" in results:
        path.write_text(scaling_page(results), "utf-8")


def _cores(us_per_span: float) -> int:
    return math.ceil(us_per_span * SPANS_PER_S / 1e6 / _MOST_USED)
