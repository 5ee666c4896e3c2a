"""How long the evaluator takes for entries that have all come at once."""

import math
import os
import secrets
import time
from collections.abc import Sequence

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from support import corpus
from support.embedded import shared_store
from support.evaluations import entries, findings, new_evaluator

ENTRIES = 10_000
_SETS_PER_INSERT = 20


def measure_evaluation() -> dict[str, object]:
    """Evaluate recorded requests and tasks with all rules, multiplied, in the embedded store."""
    store = shared_store()
    requests = [each for pattern in corpus.scenarios() for each in corpus.scenario(pattern)]
    evaluator = new_evaluator(store)
    store.insert_spans(_multiplied(requests, 1), token=secrets.token_hex())
    evaluator.tick()
    sets = math.ceil(ENTRIES / len(entries(store)))
    spans = 0
    for number in range(0, sets, _SETS_PER_INSERT):
        body = _multiplied(requests, min(_SETS_PER_INSERT, sets - number))
        spans += store.insert_spans(body, token=secrets.token_hex())
    began, began_cpu = time.perf_counter(), time.process_time()
    report = evaluator.tick()
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
    return {
        "entries": report.entries,
        "spans": spans,
        "findings": len(findings(store)),
        "seconds_per_10000_entries": round(seconds * 10_000 / report.entries, 2),
        "cpu_s_per_10000_entries": round(cpu_s * 10_000 / report.entries, 2),
    }


def _multiplied(requests: Sequence[ExportTraceServiceRequest], times: int) -> bytes:
    """Return requests several times over, each time with traces of their own."""
    body = b"".join(each.SerializeToString() for each in requests)
    trace_ids = [bytes.fromhex(trace_id) for trace_id in corpus.trace_ids(requests)]
    copies: list[bytes] = []
    for _ in range(times):
        copy = body
        for trace_id in trace_ids:
            copy = copy.replace(trace_id, os.urandom(16))
        copies.append(copy)
    return b"".join(copies)
