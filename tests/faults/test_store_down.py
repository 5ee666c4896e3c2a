"""The store is away, restarts, is full or has too much to merge: nothing acknowledged is lost."""

import contextlib
import time
from pathlib import Path

import pytest
from google.rpc.status_pb2 import Status

from support.shop_traces import new_trace_id
from support.traffic import Traffic, kill_and_look, lost, part

pytestmark = pytest.mark.timeout(1200)


def ledger(collector) -> dict[str, int]:
    """Return the sums over all services."""
    services = collector.api("ingest")["services"]
    return {
        "received": sum(each["received"] for each in services),
        "stored": sum(each["stored"] for each in services),
        "dropped": sum(sum(each["dropped"].values()) for each in services),
        "pending": sum(each["pending"] for each in services),
    }


def wait_until_replayed(collector) -> None:
    collector.wait_for(lambda: collector.api("ingest")["spool_batches"] == 0, timeout_s=120)


@pytest.mark.slow
def test_a_killed_collector_has_what_it_acknowledged(start_collector, often):
    """SIGKILL in the middle of traffic, again and again, on the same data."""
    assert kill_and_look(start_collector(), rounds=often(2, 50), requests=often(20, 60)) == []


def test_while_the_store_is_away_spans_wait_on_disk(start_collector, server, often):
    """Senders hear nothing of it, not even when the collector is killed meanwhile."""
    collector = start_collector(server.url("hotspan"))
    with Traffic(collector) as traffic:
        traffic.wait_for(5)
        for _ in range(often(1, 10)):
            server.kill()
            traffic.wait_for(often(5, 20))
            collector.kill()
            collector.start()
            traffic.wait_for(often(5, 20))
            server.start()
            wait_until_replayed(collector)
            traffic.wait_for(5)

    wait_until_replayed(collector)
    found = ledger(collector)

    assert lost(collector, traffic.acknowledged) == []
    assert found["received"] == found["stored"] + found["dropped"]
    assert found["pending"] == 0


@pytest.mark.slow
def test_a_full_spool_tells_senders_to_keep_their_spans(start_collector, server, small_disk):
    """Its disk is full before its limit is reached: 503, and nothing is acknowledged."""
    collector = start_collector(
        server.url("hotspan"), HOTSPAN_SPOOL_DIR=str(small_disk(1) / "spool")
    )
    server.stop()
    sent = []
    for _ in range(600):
        trace_id = new_trace_id()
        answer = collector.post(part(trace_id, 0) * 20)
        if answer.status_code != 200:
            break
        sent.append((trace_id, 0))
    server.start()
    wait_until_replayed(collector)

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    assert "spool cannot be written" in Status.FromString(answer.content).message
    assert sent
    assert lost(collector, sent) == []


@pytest.mark.slow
def test_a_full_disk_of_the_store_loses_nothing(start_collector, small_disk):
    """What the embedded store has no room for waits in the spool, on another disk."""
    disk = small_disk(96)
    collector = start_collector(f"chdb://{disk}/store")
    with Traffic(collector) as traffic:
        traffic.wait_for(5)
        ballast = disk / "ballast"
        _fill(ballast)
        collector.wait_for(lambda: collector.api("ingest")["spool_batches"])
        traffic.wait_for(5)
        ballast.unlink()
        traffic.wait_for(5)
    wait_until_replayed(collector)

    assert lost(collector, traffic.acknowledged) == []


@pytest.mark.slow
def test_too_many_parts_are_waited_for(start_collector, server):
    """A server that merges too slowly refuses inserts; they come later."""
    collector = start_collector(server.url("hotspan"))
    before, meanwhile = new_trace_id(), new_trace_id()
    collector.send(part(before, 0))
    server.query("SYSTEM STOP MERGES hotspan.spans")
    server.query("ALTER TABLE hotspan.spans MODIFY SETTING parts_to_throw_insert = 1")
    answers = [collector.post(part(meanwhile, number)) for number in range(3)]
    spooled = collector.api("ingest")
    server.query("ALTER TABLE hotspan.spans RESET SETTING parts_to_throw_insert")
    wait_until_replayed(collector)

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert spooled["spool_batches"] > 0
    assert lost(collector, [(before, 0), *((meanwhile, number) for number in range(3))]) == []


@pytest.mark.slow
def test_spans_of_many_days_are_stored(start_collector):
    """Ten years old and a thousand days apart: more days than one insert may hold."""
    collector = start_collector(HOTSPAN_RETENTION_DAYS="5000")
    trace_id = new_trace_id()
    day_ns = 86_400 * 10**9
    oldest = time.time_ns() - 4_000 * day_ns
    body = b"".join(
        part(trace_id, number, at_ns=oldest + number * 3 * day_ns) for number in range(150)
    )

    answer = collector.post(body)

    assert (answer.status_code, answer.content) == (200, b"")
    found = ledger(collector)
    assert (found["received"], found["stored"]) == (3_000, 3_000)


def _fill(ballast: Path) -> None:
    with contextlib.suppress(OSError), ballast.open("wb") as file:
        while True:
            file.write(bytes(1024 * 1024))
            file.flush()
