"""How long the evaluator takes for entries that have all come at once."""

import math
import os
import secrets
import time
from collections.abc import Sequence

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from hotspan_collector.rules.evaluator import Evaluator
from hotspan_collector.store.port import SpanStore
from support import corpus
from support.embedded import shared_store
from support.evaluations import entries, findings, new_evaluator

ENTRIES = 40_000
_SETS_PER_INSERT = 20


def measure_evaluation() -> dict[str, object]:
    """Evaluate recorded requests and tasks with all rules, multiplied, in the embedded store."""
    store = shared_store()
    requests = [each for pattern in corpus.scenarios() for each in corpus.scenario(pattern)]
    evaluator = new_evaluator(store)
    store.insert_spans(multiplied(requests, 1), token=secrets.token_hex())
    evaluator.tick()
    one_cpu_s = _cpu_s_of_one(store, evaluator, requests)
    sets = math.ceil(ENTRIES / len(entries(store)))
    spans = 0
    for number in range(0, sets, _SETS_PER_INSERT):
        body = multiplied(requests, min(_SETS_PER_INSERT, sets - number))
        spans += store.insert_spans(body, token=secrets.token_hex())
    began, began_cpu = time.perf_counter(), time.process_time()
    report = evaluator.tick()
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
    return {
        "entries": report.entries,
        "spans": spans,
        "findings": len(findings(store)),
        "evaluation_s": round(seconds, 1),
        "cpu_us_per_span": round(1e6 * cpu_s / spans, 1),
        "one_entry_cpu_ms": round(1e3 * one_cpu_s),
    }


def _cpu_s_of_one(
    store: SpanStore, evaluator: Evaluator, requests: Sequence[ExportTraceServiceRequest]
) -> float:
    """Return the CPU time of a tick for one entry, the one with the most spans."""
    largest = max(requests, key=lambda request: request.ByteSize())
    store.insert_spans(multiplied([largest], 1), token=secrets.token_hex())
    began_cpu = time.process_time()
    evaluator.tick()
    return time.process_time() - began_cpu


def multiplied(requests: Sequence[ExportTraceServiceRequest], times: int) -> bytes:
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
