"""The collector's metrics, in Prometheus's text format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prometheus_client.metrics_core import Metric

    from hotspan_collector.health import EvaluatorHealth
    from hotspan_collector.ingest.ledger import ServiceAccount
    from hotspan_collector.ingest.pipeline import Pipeline
    from hotspan_collector.lease import Lease

__all__ = ["Metrics"]


class Metrics(Collector):
    """Reads counters where they are kept, when it is asked."""

    def __init__(
        self, pipeline: Pipeline | None, health: EvaluatorHealth, *, leases: Sequence[Lease] = ()
    ) -> None:
        """Prepare.

        Args:
            pipeline: takes spans, when this process does.
            health: of the evaluator.
            leases: of what one process at a time does.

        """
        self._pipeline = pipeline
        self._health = health
        self._leases = leases
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def render(self) -> bytes:
        """Return all metrics."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of now; called by the registry."""
        if self._pipeline is not None:
            yield from _ledger(self._pipeline.ledger.accounts())
            yield from _ingest(self._pipeline)
        held = GaugeMetricFamily(
            "hotspan_lease_held",
            "1 in the one process that evaluates, or sends alerts.",
            labels=["lease"],
        )
        for lease in self._leases:
            held.add_metric([lease.name], int(lease.is_held()))
        yield held
        yield GaugeMetricFamily(
            "hotspan_evaluator_pending_entries",
            "Entries that wait for more spans.",
            self._health.pending_traces,
        )
        lag_s = self._health.lag_s()
        if lag_s is not None:
            yield GaugeMetricFamily(
                "hotspan_evaluator_lag_seconds", "Since the last evaluation that worked.", lag_s
            )


def _ingest(pipeline: Pipeline) -> Iterator[Metric]:
    admission, spool = pipeline.intake.admission, pipeline.spool
    gauges = {
        "hotspan_store_up": (
            "1 while inserts reach the store",
            int(pipeline.writer.is_store_up),
        ),
        "hotspan_requests_in_progress": ("OTLP requests being answered", admission.requests),
        "hotspan_requests_held_bytes": ("Bytes that these hold", admission.bytes),
        "hotspan_spool_batches": ("Batches on disk", 0 if spool is None else len(spool)),
        "hotspan_spool_bytes": ("Bytes of these", 0 if spool is None else spool.bytes),
        "hotspan_spool_limit_bytes": (
            "Bytes that the spool may take",
            0 if spool is None else spool.max_bytes,
        ),
        "hotspan_quarantined_spans": (
            "Refused spans that are kept",
            sum(item.spans for item in pipeline.quarantine.items()),
        ),
    }
    for name, (what, value) in gauges.items():
        yield GaugeMetricFamily(name, f"{what}.", value)


def _ledger(accounts: dict[str, ServiceAccount]) -> Iterator[Metric]:
    """Yield the ledger: received = stored + rejected + dropped + pending."""
    received = CounterMetricFamily("hotspan_spans_received", "Spans that came.", labels=["service"])
    stored = CounterMetricFamily("hotspan_spans_stored", "Spans committed.", labels=["service"])
    labels = ["service", "reason"]
    rejected = CounterMetricFamily(
        "hotspan_spans_rejected", "Spans that cannot be stored; senders were told.", labels=labels
    )
    dropped = CounterMetricFamily(
        "hotspan_spans_dropped",
        "Spans not stored by us; retry_later: the sender was told to try again.",
        labels=labels,
    )
    pending = GaugeMetricFamily(
        "hotspan_spans_pending", "Spans in memory or in the spool.", labels=["service"]
    )
    for service, account in accounts.items():
        received.add_metric([service], account.received)
        stored.add_metric([service], account.stored)
        pending.add_metric([service], account.pending)
        for reason, spans in account.rejected.items():
            rejected.add_metric([service, reason], spans)
        for reason, spans in account.dropped.items():
            dropped.add_metric([service, reason], spans)
    yield from (received, stored, rejected, dropped, pending)
