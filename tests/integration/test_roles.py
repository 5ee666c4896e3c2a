"""Several collectors on one ClickHouse server: roles, and who does what one at a time may do."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from hotspan_collector.errors import LeaseLostError
from hotspan_collector.lease import Guarded, StoredLease
from hotspan_collector.settings import Settings
from hotspan_collector.store import open_store
from hotspan_collector.store.port import SpanStore
from support.collector import Collector
from support.evaluations import entries, new_evaluator
from support.otlp_requests import request, span
from support.processes import ProcessError
from support.shop_traces import new_trace_id

LEASE_S = 5.0


@pytest.fixture
def store(clickhouse_url) -> Iterator[SpanStore]:
    store = open_store(Settings(store=clickhouse_url))
    yield store
    store.close()


@pytest.fixture
def start(tmp_path: Path, clickhouse_url) -> Iterator[Callable[..., Collector]]:
    """Start collectors with some roles, all on one database."""
    started: list[Collector] = []

    def begin(roles: str, **env: str) -> Collector:
        collector = Collector(
            tmp_path / f"collector-{len(started)}",
            store=clickhouse_url,
            env={"HOTSPAN_ROLES": roles, "HOTSPAN_LEASE_S": str(LEASE_S), **env},
        )
        started.append(collector)
        collector.start()
        return collector

    yield begin
    for collector in started:
        if collector.process.is_running:
            collector.process.signal(signal.SIGCONT)
        collector.stop()


def _lease(store: SpanStore, owner: str, *, length_s: float = 60) -> StoredLease:
    return StoredLease(store, "evaluate", owner=owner, length_s=length_s)


def test_of_several_claims_one_wins_each_time(store):
    """Eight claim at once, again and again, each time the lease is free: one has it."""
    leases = [_lease(store, f"owner-{number}") for number in range(8)]
    winners = []
    for _ in range(5):
        ready = threading.Barrier(len(leases))

        def claim(lease: StoredLease, ready: threading.Barrier = ready) -> None:
            ready.wait()
            lease.claim()

        threads = [threading.Thread(target=claim, args=(lease,)) for lease in leases]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        held = [lease for lease in leases if lease.is_held()]
        winners.append(len(held))
        held[0].release()

    assert winners == [1] * 5


def test_a_lease_is_kept_by_claiming_and_lost_by_silence(store):
    """While it is claimed nobody else gets it; afterwards it goes to who asks first."""
    ours, theirs = _lease(store, "ours", length_s=4), _lease(store, "theirs", length_s=4)
    first = (ours.claim(), theirs.claim())
    kept = ours.claim()
    time.sleep(4.1)
    silent = ours.is_held()

    second = (theirs.claim(), ours.claim())

    assert (first, kept, silent, second) == ((True, False), True, False, (True, False))
    assert theirs.state().owner == "theirs"


def test_who_has_lost_the_lease_cannot_reach_the_store(store):
    """No statement goes out, not even after the lease was won back: others were there meanwhile."""
    ours, theirs = _lease(store, "ours"), _lease(store, "theirs")
    ours.claim()
    guarded = Guarded(ours, store.private)
    guarded.take_over()
    guarded.rows("SELECT 1")
    ours.release()
    with pytest.raises(LeaseLostError):
        guarded.rows("SELECT 1")

    theirs.claim()
    theirs.release()
    ours.claim()

    with pytest.raises(LeaseLostError):
        guarded.rows("SELECT 1")
    assert guarded.take_over()
    assert guarded.rows("SELECT 1 AS one") == [{"one": 1}]


def test_a_late_evaluator_disturbs_nobody(store):
    """What one that has lost its lease still does to its tables reaches no other's."""
    store.insert_spans(_entry(new_trace_id()), token="a")
    late = store.private()
    new_evaluator(late)

    class Disturbed:
        """Lets the late one empty its tables before each statement of ours."""

        def __init__(self, database):
            self._database = database

        def __getattr__(self, name):
            for table in ("touched_traces", "tick_traces", "tick_spans", "tick_entries"):
                late.execute(f"TRUNCATE TABLE {table}")
            return getattr(self._database, name)

    new_evaluator(Disturbed(store.private())).tick()

    assert [entry["name"] for entry in entries(store)] == ["GET /"]


@pytest.mark.slow
def test_one_of_two_evaluates_and_the_other_takes_over_when_it_is_killed(start, service):
    """SIGKILL: after the lease's length the other evaluates what came and what comes."""
    first = start("ingest,evaluate,alerts,api")
    second = start("ingest,evaluate,alerts,api")
    first.wait_for(lambda: _evaluates(first), timeout_s=90)
    standing_by = _duty(second)

    first.kill()
    trace_id = new_trace_id()
    second.send(_entry(trace_id))

    second.wait_for(lambda: _evaluates(second), timeout_s=90)
    second.wait_for(lambda: _entries_of(second, trace_id), timeout_s=90)
    assert (standing_by["here"], standing_by["owner"] != "") == (False, True)
    assert _duty(second)["owner"] != standing_by["owner"]
    assert _metric(second, 'hotspan_lease_held{lease="evaluate"}') == 1.0


@pytest.mark.slow
def test_a_stopped_evaluator_gives_its_lease_back(start):
    """SIGTERM: the other need not wait until it has run out."""
    first = start("evaluate", HOTSPAN_LEASE_S="300")
    first.wait_for(lambda: _evaluates(first), timeout_s=90)
    assert first.stop() == 0

    second = start("evaluate", HOTSPAN_LEASE_S="300")

    second.wait_for(lambda: _evaluates(second), timeout_s=90)


@pytest.mark.slow
def test_a_suspended_evaluator_stands_by_when_it_goes_on(start, store):
    """SIGSTOP for longer than the lease: the other evaluates, and goes on doing so."""
    first = start("ingest,evaluate,api")
    first.wait_for(lambda: _evaluates(first), timeout_s=90)
    second = start("ingest,evaluate,api")
    first.process.signal(signal.SIGSTOP)
    second.wait_for(lambda: _evaluates(second), timeout_s=90)

    first.process.signal(signal.SIGCONT)

    first.wait_for(lambda: not _duty(first)["here"], timeout_s=90)
    traces = [new_trace_id() for _ in range(5)]
    for number, trace_id in enumerate(traces):
        (first, second)[number % 2].send(_entry(trace_id))
    second.wait_for(lambda: all(_entries_of(second, trace_id) for trace_id in traces), timeout_s=90)
    generations = store.rows("SELECT trace_id, uniqExact(generation) AS n FROM entries GROUP BY 1")
    assert _duty(second)["here"]
    assert {row["n"] for row in generations} == {1}


@pytest.mark.slow
def test_processes_with_a_role_each_work_together(start):
    """One takes spans and offers nothing else, one evaluates, one answers and knows how it is."""
    taking, judging, answering = start("ingest"), start("evaluate"), start("api")
    trace_id = new_trace_id()
    taking.send(_entry(trace_id))

    answering.wait_for(lambda: _entries_of(answering, trace_id), timeout_s=90)

    answering.wait_for(lambda: answering.api("status")["evaluator_lag_s"] is not None, timeout_s=90)
    ready = [
        httpx.get(
            f"http://127.0.0.1:{each.api_port}/readyz", trust_env=False, timeout=30
        ).status_code
        for each in (taking, judging, answering)
    ]
    assert ready == [200, 200, 200]
    assert taking.get("traces").status_code == 404
    assert taking.api("ingest")["services"][0]["stored"] == 1
    assert answering.get("ingest").status_code == 404
    with pytest.raises(httpx.ConnectError):
        answering.post(b"")
    assert [duty["owner"] for duty in answering.api("status")["duties"]] == [
        duty["owner"] for duty in judging.api("status")["duties"]
    ]


def test_an_unknown_role_is_refused(tmp_path):
    """With the names that there are."""
    collector = Collector(tmp_path, env={"HOTSPAN_ROLES": "ingest,evaluator"})

    with pytest.raises(ProcessError):
        collector.start()
    assert (
        "HOTSPAN_ROLES (or `roles` in the settings file): Value error, 'evaluator' is no role; "
        "choose from ingest, evaluate, alerts, api" in collector.process.output()
    )


def _entry(trace_id: str) -> bytes:
    served = span("GET /", trace_id=trace_id, span_id="01" * 8, start_ns=time.time_ns(), kind=2)
    return request([served], service="roles")


def _duty(collector: Collector) -> dict:
    duties = collector.api("status")["duties"]
    return next(duty for duty in duties if duty["name"] == "evaluate")


def _evaluates(collector: Collector) -> bool:
    return _duty(collector)["here"] and collector.api("status")["evaluator_lag_s"] is not None


def _entries_of(collector: Collector, trace_id: str) -> list[dict]:
    found = collector.api("traces", limit=1000)["traces"]
    return [entry for entry in found if entry["trace_id"] == trace_id]


def _metric(collector: Collector, name: str) -> float:
    url = f"http://127.0.0.1:{collector.api_port}/metrics"
    lines = httpx.get(url, trust_env=False, timeout=30).text.splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith(name))
