"""Group commit, on a store that can be told to fail and to wait."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hotspan_collector.errors import StoreRefusedError, StoreUnavailableError
from hotspan_collector.ingest.committer import Committer
from hotspan_collector.ingest.ledger import Ledger
from hotspan_collector.ingest.limits import Checked
from hotspan_collector.ingest.otlp import census_of, parse, spans_of
from hotspan_collector.ingest.quarantine import Quarantine
from hotspan_collector.ingest.validity import reason
from hotspan_collector.ingest.writer import Outcome, Writer
from hotspan_collector.store.retention import Retention
from hotspan_collector.store.spans_insert import SpanBounds
from support.otlp_requests import request, span

BOUNDS = SpanBounds(
    retention=Retention(days=30), future_tolerance_s=600, reversed_tolerance_ms=1000
)


class MemoryStore:
    """Keeps valid spans by name, in the batches that they came in."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.fails: Callable[[list[str]], None] = lambda names: None
        self.loses = 0
        self.opened = threading.Event()
        self.opened.set()

    def insert_spans(self, *requests: bytes, token: str) -> int:
        assert self.opened.wait(10)
        spans = list(spans_of(parse(b"".join(requests))))
        self.fails([each.name for each in spans])
        kept = [each.name for each in spans if not reason(each, self.span_bounds())]
        if kept:
            self.batches.append(kept)
        return max(0, len(kept) - self.loses)

    def span_bounds(self) -> Mapping[str, int]:
        return BOUNDS.parameters()


def body(*names: str, span_id: str = "01" * 8) -> bytes:
    return request(
        [span(name, trace_id="02" * 16, span_id=span_id, start_ns=time.time_ns()) for name in names]
    )


@asynccontextmanager
async def running(store: MemoryStore, **options):
    """Run a committer; leave when everything that was submitted is committed."""
    defaults = {"linger_s": 0.05, "max_bytes": 10**6, "workers": 2}
    quarantine = Quarantine(Path("/nowhere"), max_bytes=0)
    writer = Writer(store, ledger=(ledger := Ledger()), quarantine=quarantine)
    committer = Committer(writer, ledger=ledger, **{**defaults, **options})
    running = asyncio.create_task(committer.run())
    try:
        yield committer
    finally:
        store.opened.set()
        await committer.drain()
        await running


async def submit(committer: Committer, request_body: bytes) -> Outcome:
    return await committer.submit(Checked(request_body, census_of(request_body)))


async def submit_all(committer: Committer, bodies: list[bytes]) -> list:
    return await asyncio.gather(
        *(submit(committer, each) for each in bodies),
        return_exceptions=True,
    )


def test_requests_that_come_together_are_stored_together():
    """One insert for all that came while the first waited."""
    store = MemoryStore()

    async def scenario():
        async with running(store) as committer:
            return await submit_all(committer, [body("a", "b"), body("c"), body("d")])

    outcomes = asyncio.run(scenario())

    assert outcomes == [Outcome()] * 3
    assert store.batches == [["a", "b", "c", "d"]]


def test_a_batch_is_bounded():
    """A batch ends with the request that reaches the limit, however many wait."""
    store = MemoryStore()
    size = len(body("a"))

    async def scenario():
        async with running(store, max_bytes=2 * size, workers=1) as committer:
            await submit_all(committer, [body(name) for name in "abcde"])

    asyncio.run(scenario())

    assert store.batches == [["a", "b"], ["c", "d"], ["e"]]


def test_nothing_is_acknowledged_before_it_is_stored():
    """Success is the store's, not the queue's."""
    store = MemoryStore()
    store.opened.clear()

    async def scenario():
        async with running(store, linger_s=0) as committer:
            waiting = asyncio.create_task(submit(committer, body("a")))
            done, _ = await asyncio.wait([waiting], timeout=0.2)
            early = bool(done)
            store.opened.set()
            await waiting
            return early

    assert not asyncio.run(scenario())
    assert store.batches == [["a"]]


def test_an_empty_request_is_stored_at_once():
    """SDKs send them; there is nothing to wait for."""
    store = MemoryStore()

    async def scenario():
        async with running(store, linger_s=60) as committer:
            outcome = await submit(committer, b"")
            committer._linger_s = 0
            return outcome

    assert asyncio.run(scenario()) == Outcome()
    assert store.batches == []


def test_one_spoiled_request_does_not_harm_the_others():
    """The rest of the batch is stored; the spoiled one is refused for good."""
    store = MemoryStore()

    def refuse(names: list[str]) -> None:
        if "poison" in names:
            raise StoreRefusedError("cannot be stored")

    store.fails = refuse

    async def scenario():
        async with running(store) as committer:
            return await submit_all(committer, [body("a"), body("poison"), body("b")])

    first, spoiled, last = asyncio.run(scenario())

    assert (first, last) == (Outcome(), Outcome())
    assert spoiled.losses == {("shop", "refused"): 1}
    assert store.batches == [["a"], ["b"]]


def test_all_are_told_when_the_store_is_away():
    """Nobody is acknowledged, everybody may try again, and later requests are stored."""
    store = MemoryStore()

    def unreachable(names: list[str]) -> None:
        raise StoreUnavailableError("away")

    async def scenario():
        async with running(store) as committer:
            store.fails = unreachable
            away = await submit_all(committer, [body("a"), body("b")])
            store.fails = lambda names: None
            back = await submit_all(committer, [body("c")])
            return away, back

    away, back = asyncio.run(scenario())

    assert [type(each) for each in away] == [StoreUnavailableError] * 2
    assert back == [Outcome()]
    assert store.batches == [["c"]]


def test_a_bug_in_the_store_is_no_acknowledgement():
    """Whatever is raised, senders are told to try again, and the committer lives on."""
    store = MemoryStore()

    def broken(names: list[str]) -> None:
        if "a" in names:
            raise ZeroDivisionError

    store.fails = broken

    async def scenario():
        async with running(store) as committer:
            return await submit_all(committer, [body("a")]) + await submit_all(
                committer, [body("b")]
            )

    first, second = asyncio.run(scenario())

    assert isinstance(first, StoreUnavailableError)
    assert second == Outcome()


def test_only_the_request_with_bad_spans_hears_of_them():
    """Each sender is told about its own spans."""
    store = MemoryStore()
    bad = body("x", "y", span_id="00" * 8)

    async def scenario():
        async with running(store) as committer:
            outcomes = await submit_all(committer, [body("a"), bad + body("b"), body("c")])
            return outcomes, committer._ledger.total()

    outcomes, total = asyncio.run(scenario())

    assert [outcome.rejected for outcome in outcomes] == [0, 2, 0]
    assert "span_id must be 8 bytes" in outcomes[1].message
    assert store.batches == [["a", "b", "c"]]
    assert (total.stored, total.rejected) == (3, {"span_id": 2})


def test_spans_that_are_missing_without_a_reason_are_no_success():
    """Acknowledged means stored: what the store does not count is sent again."""
    store = MemoryStore()
    store.loses = 1

    async def scenario():
        async with running(store) as committer:
            return await submit_all(committer, [body("a", "b"), body("c")])

    outcomes = asyncio.run(scenario())

    assert [type(each) for each in outcomes] == [StoreUnavailableError] * 2


def test_what_waits_is_committed_before_the_end():
    """Draining takes nothing new, and loses nothing."""
    store = MemoryStore()

    async def scenario():
        async with running(store, linger_s=0.05) as committer:
            waiting = [asyncio.create_task(submit(committer, body(name))) for name in "abc"]
            await asyncio.sleep(0)
            await committer.drain()
            with pytest.raises(StoreUnavailableError):
                await submit(committer, body("late"))
            return await asyncio.gather(*waiting)

    assert asyncio.run(scenario()) == [Outcome()] * 3
    assert sorted(name for batch in store.batches for name in batch) == ["a", "b", "c"]


def test_a_sender_that_goes_away_harms_nobody():
    """Its spans are stored all the same, and its neighbours are answered."""
    store = MemoryStore()

    async def scenario():
        async with running(store) as committer:
            gone = asyncio.create_task(submit(committer, body("a")))
            stays = asyncio.create_task(submit(committer, body("b")))
            await asyncio.sleep(0)
            gone.cancel()
            return await stays

    assert asyncio.run(scenario()) == Outcome()
    assert store.batches == [["a", "b"]]
