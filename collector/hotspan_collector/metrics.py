"""The collector's metrics, in Prometheus's text format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

    from hotspan_collector.health import EvaluatorHealth
    from hotspan_collector.ingest.ledger import ServiceAccount
    from hotspan_collector.ingest.pipeline import Pipeline

__all__ = ["Metrics"]


class Metrics(Collector):
    """Reads counters where they are kept, when it is asked."""

    def __init__(self, pipeline: Pipeline, health: EvaluatorHealth) -> None:
        self._pipeline = pipeline
        self._health = health
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def render(self) -> bytes:
        """Return all metrics."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of now; called by the registry."""
        yield from _ledger(self._pipeline.ledger.accounts())
        pipeline, admission = self._pipeline, self._pipeline.intake.admission
        spool = pipeline.spool
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
            "hotspan_evaluator_pending_entries": (
                "Entries that wait for more spans",
                self._health.pending_traces,
            ),
        }
        for name, (what, value) in gauges.items():
            yield GaugeMetricFamily(name, f"{what}.", value)
        lag_s = self._health.lag_s()
        if lag_s is not None:
            yield GaugeMetricFamily(
                "hotspan_evaluator_lag_seconds", "Since the last evaluation that worked.", lag_s
            )


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
