"""Stores batches whatever happens: in the store, in halves, in the spool, in quarantine."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from hotspan_collector.errors import (
    HotspanError,
    SpoolFullError,
    StoreOverloadedError,
    StoreRefusedError,
    StoreUnavailableError,
)
from hotspan_collector.ingest.otlp import census_of
from hotspan_collector.ingest.splitting import halve
from hotspan_collector.ingest.spool import SpooledBatch
from hotspan_collector.ingest.validity import explain, rejections

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hotspan_collector.ingest.ledger import Census, Ledger, Losses
    from hotspan_collector.ingest.quarantine import Quarantine
    from hotspan_collector.ingest.spool import Spool
    from hotspan_collector.store.port import SpanStore

__all__ = ["Outcome", "Request", "Writer"]

_LOG = structlog.get_logger(__name__)
# Of the same batch, a second or more apart.
_MAX_FAILURES = 30


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A request that can be stored."""

    body: bytes
    census: Census

    @property
    def spans(self) -> int:
        """How many spans it holds."""
        return sum(self.census.values())


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: everything is kept but `losses`."""

    losses: Losses = field(default_factory=Counter)
    spooled: bool = False
    """Kept in the spool, and not in the store yet."""

    @property
    def rejected(self) -> int:
        """How many of its spans are not kept."""
        return self.losses.total()

    @property
    def message(self) -> str:
        """Why, and what to do."""
        return explain(self.losses)


_Results = list[Outcome | HotspanError]


class Writer:
    """Stores batches. Every call blocks; for worker threads."""

    def __init__(
        self,
        store: SpanStore,
        *,
        ledger: Ledger,
        quarantine: Quarantine,
        spool: Spool | None = None,
        patience_s: float = 30.0,
    ) -> None:
        """Prepare.

        Args:
            store: where spans go.
            ledger: is told what becomes of them.
            quarantine: keeps what the store refuses for its content.
            spool: keeps what the store cannot take at the moment.
            patience_s: halving a batch begins no insert after this time.

        """
        self._store = store
        self._ledger = ledger
        self._quarantine = quarantine
        self._spool = spool
        self._patience_s = patience_s
        self._failures = 0
        self.is_store_up = True
        if spool is not None:
            ledger.receive(spool.census())

    def write(self, batch: Sequence[Request]) -> _Results:
        """Store requests; return what became of each, in their order.

        An error says that nothing is kept of a request, and that its sender should try again.
        """
        token = secrets.token_hex(16)
        if self._spool is not None and len(self._spool) and not self.is_store_up:
            away = StoreUnavailableError("The store is down; try again later.")
            results: _Results = [away] * len(batch)
        else:
            results = self._tried(batch, token, time.monotonic() + self._patience_s)
        if self._spool is not None:
            results = self._spooled(self._spool, batch, token, results)
        for request, result in zip(batch, results, strict=True):
            self._note(request, result)
        return results

    def replay_oldest(self) -> bool:
        """Store the batch that has waited longest; tell whether there was one.

        Raises:
            StoreUnavailableError: the store is still down.

        """
        found = None if self._spool is None else self._spool.oldest()
        if found is None or self._spool is None:
            return False
        path, batch = found
        if batch is None:
            self._ledger.drop(self._spool.set_aside(path), reason="damaged")
            return True
        request = Request(batch.body, census_of(batch.body))
        (result,) = self._tried([request], batch.token, time.monotonic() + self._patience_s)
        if isinstance(result, HotspanError):
            self._give_up_on(path, request, result)
            raise result
        self._failures = 0
        quarantined: Losses = Counter()
        gone: Counter[str] = Counter()
        for (service, reason), spans in result.losses.items():
            if reason in _REFUSED:
                quarantined[service, reason] += spans
            else:
                gone[service] += spans
        # Those that were not valid when they came were told to the sender then.
        expired = gone - (Counter(request.census) - Counter(batch.census))
        self._ledger.drop(expired, reason="expired")
        self._ledger.lose("rejected", quarantined)
        self._ledger.store(_left(Counter(batch.census) - expired, quarantined))
        self._spool.remove(path)
        return True

    def _give_up_on(self, path: Path, request: Request, error: HotspanError) -> None:
        """Quarantine a batch that fails again and again while others are stored."""
        self._failures = self._failures + 1 if self.is_store_up else 0
        if self._spool is None or self._failures < _MAX_FAILURES:
            return
        service, spans = _service_of(request), request.spans
        if self._quarantine.keep(request.body, service=service, spans=spans, message=str(error)):
            self._failures = 0
            census = self._spool.remove(path)
            losses = {(each, "quarantined"): spans for each, spans in census.items()}
            self._ledger.lose("rejected", losses)

    def _note(self, request: Request, result: Outcome | HotspanError) -> None:
        if isinstance(result, HotspanError):
            self._ledger.drop(request.census, reason="retry_later")
            return
        self._ledger.lose("rejected", result.losses)
        if not result.spooled:
            self._ledger.store(_left(request.census, result.losses))

    def _spooled(
        self, spool: Spool, batch: Sequence[Request], token: str, results: _Results
    ) -> _Results:
        """Put those aside that the store could not take at the moment."""
        failed = [at for at, result in enumerate(results) if isinstance(result, HotspanError)]
        if not failed:
            return results
        bounds = self._store.span_bounds()
        losses = {at: rejections(batch[at].body, bounds) for at in failed}
        census: Counter[str] = Counter()
        for at in failed:
            census.update(_left(batch[at].census, losses[at]))
        # A new token unless it is the very batch whose insert may have worked after all.
        same = token if len(failed) == len(batch) else secrets.token_hex(16)
        body = b"".join(batch[at].body for at in failed)
        try:
            spool.append(SpooledBatch(same, dict(census), body))
        except SpoolFullError as error:
            kept: Mapping[int, Outcome | HotspanError] = dict.fromkeys(failed, error)
        else:
            kept = {at: Outcome(losses[at], spooled=True) for at in failed}
        return [kept.get(at, result) for at, result in enumerate(results)]

    def _tried(self, batch: Sequence[Request], token: str, deadline: float) -> _Results:
        """Store requests; an error says that one cannot be stored at the moment."""
        expected = sum(request.spans for request in batch)
        try:
            written = self._insert(*(request.body for request in batch), token=token)
            if written == expected:
                return [Outcome()] * len(batch)
            outcomes = [self._explained(request) for request in batch]
            self._check_count(written, expected - sum(each.rejected for each in outcomes))
        except (StoreOverloadedError, StoreRefusedError) as error:
            if time.monotonic() > deadline:
                return [StoreUnavailableError(str(error))] * len(batch)
            return self._tried_apart(batch, error, deadline)
        except StoreUnavailableError as error:
            return [error] * len(batch)
        return list(outcomes)

    def _tried_apart(
        self, batch: Sequence[Request], error: HotspanError, deadline: float
    ) -> _Results:
        try:
            self._check_store(error)
            spans = sum(request.spans for request in batch)
            _LOG.warning("batch_halved", requests=len(batch), spans=spans, error=str(error)[:500])
            if len(batch) == 1:
                return [Outcome(self._halved(batch[0], error, deadline))]
        except StoreUnavailableError as unavailable:
            return [unavailable] * len(batch)
        middle = len(batch) // 2
        return [
            result
            for half in (batch[:middle], batch[middle:])
            for result in self._tried(half, secrets.token_hex(16), deadline)
        ]

    def _halved(self, request: Request, error: HotspanError, deadline: float) -> Losses:
        """Store what can be stored of a request that was refused; return what cannot."""
        if request.spans == 1:
            return self._kept_for_a_look(request, error)
        losses: Losses = Counter()
        for body in halve(request.body):
            half = Request(body, census_of(body))
            try:
                written = self._insert(body, token=secrets.token_hex(16))
                invalid = self._explained(half).losses if written != half.spans else Counter()
                self._check_count(written, half.spans - invalid.total())
                losses.update(invalid)
            except (StoreOverloadedError, StoreRefusedError) as refused:
                if time.monotonic() > deadline:
                    raise StoreUnavailableError(str(refused)) from refused
                losses.update(self._halved(half, refused, deadline))
        return losses

    def _kept_for_a_look(self, request: Request, error: HotspanError) -> Losses:
        invalid = self._explained(request).losses
        if invalid:
            return invalid
        self._check_store(error)
        service = _service_of(request)
        kept = self._quarantine.keep(request.body, service=service, spans=1, message=str(error))
        return Counter({(service, "quarantined" if kept else "refused"): 1})

    def _insert(self, *requests: bytes, token: str) -> int:
        try:
            written = self._store.insert_spans(*requests, token=token)
        except (StoreOverloadedError, StoreRefusedError):
            raise
        except StoreUnavailableError as error:
            if self.is_store_up:
                _LOG.warning("store_down", error=str(error))
            self.is_store_up = False
            raise
        except Exception as error:
            # Whatever it is, it is no success: the sender, or the spool, keeps the spans.
            _LOG.exception("insert_failed")
            raise StoreUnavailableError(f"The insert failed: {error}") from error
        if not self.is_store_up:
            _LOG.info("store_up")
        self.is_store_up = True
        return written

    def _check_store(self, error: HotspanError) -> None:
        """Tell a store that refuses spans from one that refuses everything."""
        try:
            self._insert(_NO_VALID_SPAN, token=secrets.token_hex(16))
        except (StoreOverloadedError, StoreRefusedError) as broken:
            _LOG.error("store_broken", error=str(broken))
            raise StoreUnavailableError(
                f"The store refuses every insert: {broken}; try again later."
            ) from error

    def _explained(self, request: Request) -> Outcome:
        return Outcome(rejections(request.body, self._store.span_bounds()))

    def _check_count(self, written: int, expected: int) -> None:
        if written < expected:
            raise StoreUnavailableError(
                f"The store wrote {written} of {expected} spans, and nothing says which are "
                "missing; try again."
            )


# Spans that the store refuses for their content.
_REFUSED = frozenset({"quarantined", "refused"})


def _service_of(request: Request) -> str:
    """Return the service with the most spans."""
    return max(request.census, key=lambda service: request.census[service])


def _left(census: Mapping[str, int], losses: Losses) -> Census:
    """Return the spans that are not lost, by service."""
    left = dict(census)
    for (service, _), spans in losses.items():
        left[service] -= spans
    return left


# Decoded, analysed and left out: an insert that works whenever inserts do, and writes nothing.
_NO_VALID_SPAN: bytes = ExportTraceServiceRequest(
    resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=[Span(name="probe")])])]
).SerializeToString()
