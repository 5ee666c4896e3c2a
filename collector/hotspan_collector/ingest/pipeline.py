"""Puts the parts of ingest together, as the settings say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotspan_collector.ingest.admission import Admission
from hotspan_collector.ingest.committer import Committer
from hotspan_collector.ingest.intake import Intake
from hotspan_collector.ingest.ledger import Ledger
from hotspan_collector.ingest.limits import RequestLimits
from hotspan_collector.ingest.quarantine import Quarantine
from hotspan_collector.ingest.spool import Spool
from hotspan_collector.ingest.writer import Writer
from hotspan_collector.store import redaction_of

if TYPE_CHECKING:
    from hotspan_collector.settings import Settings
    from hotspan_collector.store.port import SpanStore

__all__ = ["Pipeline", "build_pipeline"]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What takes spans from the receivers to the store."""

    intake: Intake
    committer: Committer
    writer: Writer
    ledger: Ledger
    quarantine: Quarantine
    spool: Spool | None

    def close(self) -> None:
        """Let another process own the spool."""
        if self.spool is not None:
            self.spool.close()


def build_pipeline(store: SpanStore, settings: Settings) -> Pipeline:
    """Put a pipeline together; it works while its committer runs.

    Raises:
        ConfigurationError: the spool's directory cannot be used.

    """
    ledger = Ledger()
    quarantine = Quarantine(settings.quarantine_directory, max_bytes=settings.quarantine_max_bytes)
    spool = (
        Spool(settings.spool_directory, max_bytes=settings.spool_max_bytes)
        if settings.spool_max_bytes
        else None
    )
    writer = Writer(
        store,
        ledger=ledger,
        quarantine=quarantine,
        spool=spool,
        patience_s=2 * settings.insert_timeout_s,
    )
    committer = Committer(
        writer,
        ledger=ledger,
        linger_s=settings.commit_linger_ms / 1000,
        max_bytes=settings.commit_max_bytes,
        workers=settings.commit_workers,
    )
    intake = Intake(
        committer,
        admission=Admission(
            max_requests=settings.max_concurrent_requests,
            max_bytes=settings.commit_queue_bytes,
            key_bytes_per_s=settings.ingest_key_bytes_per_s,
        ),
        limits=RequestLimits(
            max_spans=settings.max_request_spans,
            max_attributes=settings.max_request_attributes,
            max_attribute_bytes=settings.max_attribute_bytes,
            max_span_bytes=settings.max_span_bytes,
        ),
        max_json_bytes=settings.max_json_request_bytes,
        store=store,
        redaction=redaction_of(settings),
    )
    return Pipeline(intake, committer, writer, ledger, quarantine, spool)
