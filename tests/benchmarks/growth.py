# ruff: noqa: E501 (SQL of this benchmark)
"""What evaluations cost as the store grows, and what they need of memory and disk.

Runs in a process of its own, whose store is gone afterwards, and prints JSON. What is stored grows by
copies of recorded spans, and of what was found in them, under new trace ids and over a day.
"""

import json
import math
import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from evaluation import multiplied
from lengths import SPANS_STORED

from hotspan_collector.rules import evaluator as evaluating
from hotspan_collector.rules.evaluator import Evaluator
from hotspan_collector.store.port import SpanStore
from support import corpus
from support.embedded import emptied_store, shared_store
from support.evaluations import new_evaluator

FRESH_SPANS = 50_000
STORED_SPANS = tuple(
    10**exponent for exponent in range(4, 8) if 10**exponent <= max(10**4, SPANS_STORED)
)
RULE_SPANS = 1_000_000
_COPIED_AT_ONCE = 200_000
_LONGEST_MERGE_S = 120
_NEW_ID = "MD5(concat(trace_id, toString({copies} + n)))"
# Over the day before the last hour: what is stored has been evaluated long ago.
_EARLIER = "INTERVAL 3600 + (({copies} + n) * 7919) % 79200 SECOND"
_COPY = """
INSERT INTO {table}
SELECT stored.* REPLACE ({replaced})
FROM (SELECT * FROM {table} WHERE trace_id IN (SELECT trace_id FROM copied_traces)) AS stored
CROSS JOIN (SELECT number AS n FROM numbers({times})) AS copies
"""
# Once more for each copy, as if counted anew: what is read and what is replaced is the same.
_COPY_HITS = """
INSERT INTO violation_hits
SELECT stored.* REPLACE (toStartOfFiveMinutes(five_minutes - {earlier}) AS five_minutes)
FROM (SELECT * FROM violation_hits FINAL WHERE five_minutes > now() - INTERVAL 1 HOUR) AS stored
CROSS JOIN (SELECT number AS n FROM numbers({times})) AS copies
"""
_TIMES = {
    "spans": ("start_time", "inserted_at"),
    "entries": ("start_time", "evaluated_at"),
    "findings": ("entry_start",),
    "trace_bounds": ("started", "ended"),
}
_FRESH = """
INSERT INTO spans
SELECT stored.* REPLACE (MD5(concat(trace_id, '{token}', toString(n))) AS trace_id, now64(3, 'UTC') AS inserted_at)
FROM (SELECT * FROM spans WHERE trace_id IN (SELECT trace_id FROM copied_traces)) AS stored
CROSS JOIN (SELECT number AS n FROM numbers({times})) AS copies
"""
# A task of a million spans: a chain of parents, and queries below its end.
_HUGE = """
INSERT INTO spans (trace_id, span_id, parent_span_id, name, kind, service, environment, start_time, duration_ns, db_system, db_statement, db_fingerprint, task, inserted_at)
SELECT
    MD5('huge'),
    reinterpretAsFixedString(number + 1),
    if(number = 0, toFixedString('', 8), reinterpretAsFixedString(least(number, {depth}))),
    if(number = 0, 'run/huge', 'SELECT'),
    if(number = 0, 'consumer', if(number < {depth}, 'internal', 'client')),
    'huge', 'benchmark',
    now64(9, 'UTC') - INTERVAL 10 MINUTE + toIntervalMicrosecond(number),
    if(number = 0, 300000000000, 1000),
    if(number < {depth}, '', 'postgresql'),
    if(number < {depth}, '', 'SELECT a FROM b WHERE id = %s'),
    if(number < {depth}, 0, 1),
    if(number = 0, 'huge', ''),
    now64(3, 'UTC')
FROM numbers({spans})
"""
_SIZES = """
SELECT table, sum(bytes_on_disk) AS bytes
FROM system.parts
WHERE active AND database = currentDatabase()
GROUP BY table
"""


class _TimedRules:
    """Takes the time of all structural rules and what they share, of all ticks since `reset`."""

    def __init__(self) -> None:
        self._find = evaluating.find
        self.reset()
        evaluating.find = self  # type: ignore[assignment]

    def reset(self) -> None:
        self.seconds = self.cpu_s = 0.0

    def __call__(self, *arguments, **options):
        began, began_cpu = time.perf_counter(), time.process_time()
        try:
            return self._find(*arguments, **options)
        finally:
            self.seconds += time.perf_counter() - began
            self.cpu_s += time.process_time() - began_cpu


def measure_growth() -> dict[str, object]:
    """Measure ticks beside more and more stored spans, then what looks at all of them."""
    load = os.getloadavg()[0]
    store = emptied_store()
    evaluator = new_evaluator(store)
    rules = _TimedRules()
    requests = [each for pattern in corpus.scenarios() for each in corpus.scenario(pattern)]
    store.insert_spans(multiplied(requests, 1), token=secrets.token_hex())
    evaluator.tick()
    _keep_copied(store)
    copies, curve = 0, []
    for spans in STORED_SPANS:
        copies = _grow(store, spans, copies=copies)
        curve.append(
            {"stored": _count(store, "spans"), **_measure_fresh(store, evaluator, FRESH_SPANS)}
        )
    sizes = {str(row["table"]): int(row["bytes"]) for row in store.rows(_SIZES)}
    window_entries = _count(store, "entries")
    windows = _measured(evaluator.run_windows)
    rules.reset()
    many = _measure_fresh(store, evaluator, RULE_SPANS)
    return {
        "load": round(load, 1),
        "fresh_spans": FRESH_SPANS,
        "curve": curve,
        "window_entries": window_entries,
        "windows_s": windows["seconds"],
        "rules_spans": many["spans"],
        "rules_entries": many["entries"],
        "rules_s": round(rules.seconds, 2),
        "rules_cpu_us_per_span": round(1e6 * rules.cpu_s / many["spans"], 2),
        "evidence_percent": round(100 * _evidence_bytes(sizes) / sizes["spans"], 1),
        "huge": _measure_huge(store, evaluator),
    }


def _keep_copied(store: SpanStore) -> None:
    store.execute(
        "CREATE OR REPLACE TABLE copied_traces ENGINE = Memory AS SELECT DISTINCT trace_id FROM spans"
    )


def _grow(store: SpanStore, spans: int, *, copies: int) -> int:
    """Store copies of everything up to so many spans; return how many there are."""
    of_one = _count(store, "spans", "WHERE trace_id IN (SELECT trace_id FROM copied_traces)")
    missing = math.ceil((spans - _count(store, "spans")) / of_one)
    while missing > 0:
        times = min(missing, max(1, _COPIED_AT_ONCE // of_one))
        for table, columns in _TIMES.items():
            replaced = [
                f"{_NEW_ID} AS trace_id",
                *(f"{name} - {_EARLIER} AS {name}" for name in columns),
            ]
            statement = _COPY.replace("{replaced}", ", ".join(replaced))
            store.execute(statement.format(table=table, times=times, copies=copies))
        earlier = _EARLIER.format(copies=copies)
        store.execute(_COPY_HITS.format(earlier=earlier, times=times))
        copies, missing = copies + times, missing - times
    return copies


def _measure_fresh(store: SpanStore, evaluator: Evaluator, spans: int) -> dict[str, object]:
    """Return what a tick takes over so many spans that have just come."""
    before = _count(store, "spans")
    of_one = _count(store, "spans", "WHERE trace_id IN (SELECT trace_id FROM copied_traces)")
    missing = math.ceil(spans / of_one)
    while missing > 0:
        times = min(missing, max(1, _COPIED_AT_ONCE // of_one))
        store.execute(_FRESH.format(token=secrets.token_hex(), times=times))
        missing -= times
    _wait_for_merges(store)
    entries: list[int] = []
    took = _measured(lambda: entries.append(evaluator.tick().entries))
    return {"spans": _count(store, "spans") - before, "entries": sum(entries), **took}


def _measure_huge(store: SpanStore, evaluator: Evaluator) -> dict[str, object]:
    """Return what a tick over one entry takes that has a million spans, in a deep chain."""
    store.execute(_HUGE.format(spans=1_000_000, depth=20_000))
    base_bytes = _resident_bytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    entries: list[int] = []
    took = _measured(lambda: entries.append(evaluator.tick().entries))
    more_mib = (_resident_bytes("VmHWM") - base_bytes) / 2**20
    return {"entries": sum(entries), "memory_mib": round(more_mib), **took}


def _wait_for_merges(store: SpanStore) -> None:
    """Let the store put together what was inserted, so that the CPU of this is not the tick's."""
    deadline = time.monotonic() + _LONGEST_MERGE_S
    while time.monotonic() < deadline and _count(store, "system.merges"):
        time.sleep(0.5)


def _measured(work: Callable[[], object]) -> dict[str, float]:
    began, began_cpu = time.perf_counter(), time.process_time()
    work()
    return {
        "seconds": round(time.perf_counter() - began, 2),
        "cpu_s": round(time.process_time() - began_cpu, 2),
    }


def _count(store: SpanStore, table: str, where: str = "") -> int:
    return int(store.rows(f"SELECT count() AS n FROM {table} {where}")[0]["n"])


def _evidence_bytes(sizes: Mapping[str, int]) -> int:
    return sum(sizes.get(table, 0) for table in ("findings", "pinned_findings", "pinned_spans"))


def _resident_bytes(line: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return 1024 * int(status.partition(f"{line}:")[2].split()[0])


if __name__ == "__main__":
    shared_store()
    sys.stdout.write(json.dumps(measure_growth()) + "\n")
