"""What becomes of batches that a store does not simply take."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from hotspan_collector.errors import (
    StoreOverloadedError,
    StoreRefusedError,
    StoreUnavailableError,
)
from hotspan_collector.ingest.ledger import Ledger
from hotspan_collector.ingest.otlp import census_of, parse, spans_of
from hotspan_collector.ingest.quarantine import Quarantine
from hotspan_collector.ingest.spool import Spool
from hotspan_collector.ingest.validity import reason
from hotspan_collector.ingest.writer import Outcome, Request, Writer
from hotspan_collector.store.retention import Retention
from hotspan_collector.store.spans_insert import SpanBounds
from support.otlp_requests import request, span

BOUNDS = SpanBounds(
    retention=Retention(days=30), future_tolerance_s=600, reversed_tolerance_ms=1000
)
SPOOL_BYTES = 100_000


class FailingStore:
    """Keeps valid spans by name, unless it is told to fail; a token counts once."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.tokens: dict[str, int] = {}
        self.fails: Callable[[list[str]], None] = lambda names: None
        self.inserts = 0

    def insert_spans(self, *requests: bytes, token: str) -> int:
        self.inserts += 1
        spans = list(spans_of(parse(b"".join(requests))))
        self.fails([each.name for each in spans])
        kept = [each.name for each in spans if not reason(each, self.span_bounds())]
        if token not in self.tokens:
            self.tokens[token] = len(kept)
            self.names += kept
        return self.tokens[token]

    def span_bounds(self) -> Mapping[str, int]:
        return BOUNDS.parameters()


class Parts:
    """A writer with all that it works with, in a directory."""

    def __init__(self, directory: Path, *, spool_bytes: int = SPOOL_BYTES) -> None:
        self.directory = directory
        self.spool_bytes = spool_bytes
        self.store = FailingStore()
        self.open()

    def open(self) -> None:
        self.ledger = Ledger()
        self.quarantine = Quarantine(self.directory / "quarantine", max_bytes=10_000)
        self.spool = Spool(self.directory / "spool", max_bytes=self.spool_bytes)
        self.writer = Writer(
            self.store, ledger=self.ledger, quarantine=self.quarantine, spool=self.spool
        )

    def restart(self) -> None:
        self.spool.close()
        self.open()

    def write(self, *bodies: bytes) -> list:
        requests = [Request(each, census_of(each)) for each in bodies]
        for each in requests:
            self.ledger.receive(each.census)
        return self.writer.write(requests)


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    parts = Parts(tmp_path)
    yield parts
    parts.spool.close()


def body(*names: str, span_id: str = "01" * 8, service: str = "shop") -> bytes:
    now = time.time_ns()
    spans = [span(name, trace_id="02" * 16, span_id=span_id, start_ns=now) for name in names]
    return request(spans, service=service)


def away(names: list[str]) -> None:
    raise StoreUnavailableError("away")


def refusing(*poison: str, error: type[Exception] = StoreRefusedError):
    def fails(names: list[str]) -> None:
        if set(poison) & set(names):
            raise error("cannot be stored")

    return fails


def test_spans_that_a_store_refuses_are_quarantined_alone(parts: Parts):
    """All others of their request, and of their batch, are stored."""
    parts.store.fails = refusing("poison", "venom")
    many = [f"good-{number}" for number in range(20)]
    poisoned = body(*many[:7], "poison", *many[7:], "venom")

    first, second = parts.write(body("a"), poisoned)

    assert first == Outcome()
    assert second.losses == {("shop", "quarantined"): 2}
    assert "hotspan quarantine" in second.message
    assert sorted(parts.store.names) == sorted(["a", *many])
    found = parts.quarantine.items()
    bodies = [parts.quarantine.body(each.id) for each in found]
    assert [each.message for each in found] == ["cannot be stored"] * 2
    assert [each.name for item in bodies for each in spans_of(parse(item))] == ["poison", "venom"]
    total = parts.ledger.total()
    assert (total.received, total.stored, total.rejected) == (23, 21, {"quarantined": 2})


def test_a_store_that_refuses_everything_is_broken(parts: Parts):
    """A table that is gone is no reason to quarantine spans: they wait in the spool."""

    def broken(names: list[str]) -> None:
        raise StoreRefusedError("UNKNOWN_TABLE")

    parts.store.fails = broken

    assert parts.write(body("a")) == [Outcome(spooled=True)]
    assert parts.quarantine.items() == []
    parts.store.fails = lambda names: None
    assert parts.writer.replay_oldest()
    assert parts.store.names == ["a"]


def test_a_batch_that_is_too_much_at_once_is_stored_in_parts(parts: Parts):
    """Out of memory, out of time, too many days: less at once is tried."""

    def small_only(names: list[str]) -> None:
        if len(names) > 3:
            raise StoreOverloadedError("too much")

    parts.store.fails = small_only
    names = [f"span-{number}" for number in range(20)]

    assert parts.write(body(*names[:10]), body(*names[10:])) == [Outcome(), Outcome()]
    assert sorted(parts.store.names) == sorted(names)


def test_what_is_not_valid_is_told_also_when_a_request_is_halved(parts: Parts):
    """Each span has one reason."""
    parts.store.fails = refusing("poison")
    mixed = body("good", "poison") + body("bad", span_id="00" * 8)

    (outcome,) = parts.write(mixed)

    assert outcome.losses == {("shop", "quarantined"): 1, ("shop", "span_id"): 1}
    assert parts.store.names == ["good"]


def test_while_the_store_is_away_batches_wait_on_disk(parts: Parts):
    """They are acknowledged, survive a restart, and are stored once, in their order."""
    parts.store.fails = away
    outcomes = parts.write(body("a", "b")) + parts.write(body("c", service="other"))
    parts.restart()
    pending = {service: each.pending for service, each in parts.ledger.accounts().items()}

    with pytest.raises(StoreUnavailableError):
        parts.writer.replay_oldest()
    parts.store.fails = lambda names: None
    while parts.writer.replay_oldest():
        pass

    assert outcomes == [Outcome(spooled=True)] * 2
    assert pending == {"shop": 2, "other": 1}
    assert parts.store.names == ["a", "b", "c"]
    total = parts.ledger.total()
    assert (total.received, total.stored, total.pending, len(parts.spool)) == (3, 3, 0, 0)


def test_an_insert_whose_answer_was_lost_is_stored_once(parts: Parts):
    """The replay has the token of the first try."""

    def stores_and_fails(names: list[str]) -> None:
        parts.store.fails = lambda names: None
        parts.store.insert_spans(first, token=tokens[-1])
        raise StoreUnavailableError("the connection broke")

    first = body("a")
    tokens: list[str] = []
    insert = parts.store.insert_spans

    def remembers(*requests: bytes, token: str) -> int:
        tokens.append(token)
        return insert(*requests, token=token)

    parts.store.insert_spans = remembers  # type: ignore[method-assign]
    parts.store.fails = stores_and_fails

    assert parts.write(first) == [Outcome(spooled=True)]
    parts.store.fails = lambda names: None
    assert parts.writer.replay_oldest()
    assert parts.store.names == ["a"]


def test_a_store_that_is_away_is_not_asked_each_time(parts: Parts):
    """Its timeouts would keep senders waiting: the replay finds out when it is back."""
    parts.store.fails = away
    for name in "abc":
        parts.write(body(name))

    assert parts.store.inserts == 1


def test_a_full_spool_refuses_for_now(tmp_path: Path):
    """Nothing is acknowledged that is not kept."""
    parts = Parts(tmp_path, spool_bytes=1_000)
    parts.store.fails = away
    (kept,) = parts.write(body("a"))
    (refused,) = parts.write(body("b", *"cdefghijklmnop"))

    assert kept == Outcome(spooled=True)
    assert isinstance(refused, StoreUnavailableError)
    assert "HOTSPAN_SPOOL_MAX_BYTES" in str(refused)
    total = parts.ledger.total()
    assert (total.received, total.pending, total.dropped) == (16, 1, {"retry_later": 15})
    parts.spool.close()


def test_a_spooled_batch_is_judged_when_it_comes(parts: Parts):
    """The sender hears of spans that are not valid before they are put aside."""
    parts.store.fails = away
    (outcome,) = parts.write(body("a") + body("b", span_id="00" * 8))
    parts.store.fails = lambda names: None
    parts.writer.replay_oldest()

    assert outcome == Outcome({("shop", "span_id"): 1}, spooled=True)
    total = parts.ledger.total()
    assert (total.received, total.stored, total.rejected) == (2, 1, {"span_id": 1})
    assert total.dropped == {}


def test_a_damaged_file_is_set_aside(parts: Parts):
    """The others are stored."""
    parts.store.fails = away
    parts.write(body("a"))
    parts.write(body("b"))
    first, _ = sorted((parts.directory / "spool").glob("*.batch"))
    content = bytearray(first.read_bytes())
    content[-1] ^= 1
    first.write_bytes(content)
    parts.restart()
    parts.store.fails = lambda names: None
    while parts.writer.replay_oldest():
        pass

    assert parts.store.names == ["b"]
    assert [each.name for each in (parts.directory / "spool").glob("*.damaged")]
    total = parts.ledger.total()
    assert (total.dropped, total.pending, parts.spool.bytes) == ({"damaged": 1}, 0, 0)


def test_poison_in_the_spool_does_not_hold_up_the_rest(parts: Parts):
    """It is quarantined as if it came now."""
    parts.store.fails = away
    parts.write(body("poison"))
    parts.write(body("b"))
    parts.store.fails = refusing("poison")
    while parts.writer.replay_oldest():
        pass

    assert parts.store.names == ["b"]
    total = parts.ledger.total()
    assert (total.rejected, total.pending) == ({"quarantined": 1}, 0)


def test_nobody_else_may_read_what_is_put_aside(parts: Parts):
    """Requests are kept as they came, before redaction."""
    parts.store.fails = refusing("poison")
    parts.write(body("poison"))
    folders = [parts.directory / name for name in ("spool", "quarantine")]

    assert [folder.stat().st_mode & 0o777 for folder in folders] == [0o700, 0o700]


def test_a_batch_that_never_works_does_not_hold_up_the_rest(parts: Parts):
    """The store counts fewer spans than it should, each time: somebody must look at it."""
    parts.store.fails = away
    parts.write(body("lost"))
    parts.write(body("b"))
    parts.store.fails = lambda names: None
    insert = parts.store.insert_spans

    def loses(*requests: bytes, token: str) -> int:
        return insert(*requests, token=token) - (b"lost" in b"".join(requests))

    parts.store.insert_spans = loses  # type: ignore[method-assign]
    for _ in range(40):
        with contextlib.suppress(StoreUnavailableError):
            parts.writer.replay_oldest()

    (item,) = parts.quarantine.items()
    assert "nothing says which are missing" in item.message
    total = parts.ledger.total()
    assert (total.stored, total.rejected, total.pending) == (1, {"quarantined": 1}, 0)


def test_poison_among_empty_resources_is_found(parts: Parts):
    """A request may name services without spans."""
    parts.store.fails = refusing("poison")

    (outcome,) = parts.write(request([], service="empty") + body("poison"))

    assert outcome.losses == {("shop", "quarantined"): 1}
