"""What storing, evaluating and asking cost when much is stored, beside the exporter's schema."""

import os
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lengths import SPANS_STORED
from payload import SPANS_PER_REQUEST, Payload
from rotel import bytes_per_span, cpu_s, create_exporter_tables

from hotspan_collector.api.periods import parse_period
from hotspan_collector.api.services import read_services
from hotspan_collector.api.trace import read_trace
from hotspan_collector.api.trace_search import TraceSearch, search_traces
from hotspan_collector.api.violation_reader import (
    ViolationFilter,
    read_violation,
    read_violations,
    statuses_of,
)
from hotspan_collector.rules.evaluator import Evaluator
from hotspan_collector.settings import Settings
from hotspan_collector.sql import load_blocks_of
from hotspan_collector.store import open_store
from hotspan_collector.store.port import SpanStore
from support import corpus
from support.clickhouse_server import ClickhouseServer
from support.evaluations import new_evaluator, shipped_catalogue

FEW_SPANS = 100_000
_SPREAD_NS = 3 * 86_400 * 10**9
_SPANS_AT_ONCE = 1_000_000
_GROWING = ("spans", "entries", "findings", "trace_bounds")
_RUNS = 9
_INSERTS = 20
_REQUESTS_PER_INSERT = 8
_SQL = load_blocks_of((Path(__file__).parent / "grow.sql").read_text("utf-8"))


def measure_at_scale() -> dict[str, object]:
    """Fill a server's store, and the exporter's table with the same spans; ask both."""
    with tempfile.TemporaryDirectory(prefix="hotspan-bench-") as directory:
        server = ClickhouseServer(Path(directory))
        server.start()
        try:
            return _measure(server)
        finally:
            server.stop()


def _measure(server: ClickhouseServer) -> dict[str, object]:
    load = os.getloadavg()[0]
    dsn = server.create_database("hotspan")
    server.create_database("exporter")
    create_exporter_tables(server, "exporter")
    store = open_store(Settings(store=dsn, query_timeout_s=3600))
    try:
        evaluator = new_evaluator(store)
        base_spans = _fill_base(store, evaluator)
        payload = Payload.recorded()
        sets = SPANS_STORED // base_spans
        few = FEW_SPANS // base_spans
        _grow(store, first=0, sets=few, of=sets, base_spans=base_spans)
        growth = [_costs(server, store, evaluator, payload)]
        _grow(store, first=few, sets=sets - few, of=sets, base_spans=base_spans)
        for row in store.rows(_SQL["days"]):
            store.execute(_SQL["copy_to_exporter"], {"day": row["day"]})
        sizes = {
            "hotspan": bytes_per_span(server, "hotspan.spans"),
            "exporter": bytes_per_span(server, "exporter.otel_traces"),
        }
        server.query("OPTIMIZE TABLE hotspan.entries FINAL")
        growth.append(_costs(server, store, evaluator, payload))
        store.execute(_SQL["age_violations"], {"spread_ns": _SPREAD_NS})
        return {
            "load": round(load, 1),
            "spans_stored": sets * base_spans,
            "runs": _RUNS - 1,
            "bytes_per_span": sizes,
            "findings_stored": int(store.rows(_SQL["count_findings"])[0]["findings"]),
            "questions": _ask(store, sets=sets),
            "pages": _ask_pages(store),
            "growth": growth,
        }
    finally:
        store.close()


def _fill_base(store: SpanStore, evaluator: Evaluator) -> int:
    """Store and evaluate the recorded requests once; return how many spans they are."""
    requests = [each for name in corpus.scenarios() for each in corpus.scenario(name)]
    body = b"".join(each.SerializeToString() for each in requests)
    store.insert_spans(body, token="base")
    evaluator.tick()
    for table in _GROWING:
        for block in ("create_base", "fill_base"):
            statement = _SQL[block].replace("{table}", table)
            if table in {"spans", "trace_bounds"}:
                statement = statement.replace(" FINAL", "")
            store.execute(statement)
    return int(store.rows("SELECT count() AS spans FROM base_spans")[0]["spans"])


def _grow(store: SpanStore, *, first: int, sets: int, of: int, base_spans: int) -> None:
    at_once = _SPANS_AT_ONCE // base_spans
    for begin in range(first, first + sets, at_once):
        parameters = {
            "first": begin,
            "sets": min(at_once, first + sets - begin),
            "step_ns": _SPREAD_NS // of,
        }
        for table in _GROWING:
            store.execute(_SQL[f"grow_{table}"], parameters)


def _costs(
    server: ClickhouseServer, store: SpanStore, evaluator: Evaluator, payload: Payload
) -> dict[str, float]:
    """Store and evaluate the same amount again, and say what it cost."""
    stored = int(store.rows("SELECT count() AS spans FROM spans")[0]["spans"])
    bodies = [
        b"".join(payload.fresh() for _ in range(_REQUESTS_PER_INSERT)) for _ in range(_INSERTS)
    ]
    spans = _INSERTS * _REQUESTS_PER_INSERT * SPANS_PER_REQUEST
    began, before = time.perf_counter(), cpu_s(server.process.pid)
    for body in bodies:
        store.insert_spans(body, token=secrets.token_hex())
    seconds, inserting = time.perf_counter() - began, cpu_s(server.process.pid) - before
    before = cpu_s(server.process.pid)
    report = evaluator.tick()
    evaluating = cpu_s(server.process.pid) - before
    return {
        "spans_stored": stored,
        "ingest_spans_per_s": round(spans / seconds),
        "ingest_cpu_us_per_span": round(1e6 * inserting / spans, 1),
        "evaluation_cpu_us_per_entry": round(1e6 * evaluating / report.entries, 1),
    }


def _ask(store: SpanStore, *, sets: int) -> list[dict[str, object]]:
    [entry] = store.rows(_SQL["busiest_entry"])
    service, name = entry["service"], entry["name"]
    found = store.rows(_SQL["some_traces"], {"service": service, "limit": _RUNS})
    traces = [str(row["trace"]) for row in found]
    values = [str(sets // (_RUNS + 1) * (number + 1)) for number in range(_RUNS)]
    day, days = parse_period("24h", ""), parse_period("72h", "")

    def search(period: object, **conditions: object) -> object:
        return search_traces(
            store,
            TraceSearch(**{"period": period, "attributes": (), "limit": 50, **conditions}),
        )

    def exporter(block: str, **parameters: object) -> bytes:
        return store.json_bytes(_SQL[block], parameters)

    questions: list[tuple[str, int, Callable[[int], object], Callable[[int], object]]] = [
        (
            "a trace by id",
            20,
            lambda run: read_trace(
                store, shipped_catalogue(), trace_id=traces[run], max_spans=50_000
            ),
            lambda run: exporter("exporter_trace", trace=traces[run]),
        ),
        (
            "the newest 50 entries of a service",
            20,
            lambda _: search(day, service=service),
            lambda _: exporter("exporter_newest", service=service),
        ),
        (
            "entries of a route over 500 ms within a day",
            50,
            lambda _: search(day, service=service, name=name, min_duration_ms=500),
            lambda _: exporter("exporter_slow_route", service=service, name=name),
        ),
        (
            "a rare attribute value over three days",
            50,
            lambda run: search(days, attributes=[("shop.order", values[run])]),
            lambda run: exporter("exporter_attribute", value=values[run]),
        ),
    ]
    return [
        {"question": what, "goal_ms": goal, "hotspan_ms": _time(ours), "exporter_ms": _time(theirs)}
        for what, goal, ours, theirs in questions
    ]


def _ask_pages(store: SpanStore) -> list[dict[str, object]]:
    """Ask what the UI's pages need besides; the exporter's schema has none of it."""
    catalogue, day = shipped_catalogue(), parse_period("24h", "")
    found = store.rows(_SQL["some_violations"], {"limit": _RUNS})
    busiest = [row["fingerprint"] for row in found]
    worst = ViolationFilter(statuses=statuses_of("active"), limit=50)
    pages: list[tuple[str, Callable[[int], object]]] = [
        ("the 50 worst violations", lambda _: read_violations(store, catalogue, worst)),
        (
            "a violation with its evidence",
            lambda run: read_violation(store, catalogue, busiest[run % len(busiest)]),
        ),
        ("services of a day", lambda _: read_services(store, period=day, limit=1000)),
    ]
    return [{"question": what, "hotspan_ms": _time(ask)} for what, ask in pages]


def _time(ask: Callable[[int], object]) -> float:
    """Return the median of some runs, each with another id, in milliseconds."""
    took: list[float] = []
    for run in range(_RUNS):
        began = time.perf_counter()
        ask(run)
        took.append((time.perf_counter() - began) * 1000)
    return round(_median_without_first(took), 1)


def _median_without_first(took: Sequence[float]) -> float:
    # The first one reads marks and indexes from disk.
    return statistics.median(took[1:])
