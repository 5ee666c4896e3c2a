"""What the routes about ingest answer."""

from __future__ import annotations

from pydantic import Field

from hotspan_collector.api.wire import Model

__all__ = [
    "Ingest",
    "QuarantineReplay",
    "QuarantineReport",
    "QuarantinedSpans",
    "ServiceSpans",
]


class ServiceSpans(Model):
    """What became of a service's spans: received = stored + rejected + dropped + pending."""

    service: str
    received: int
    stored: int
    rejected: dict[str, int] = Field(description="By reason; senders were told")
    dropped: dict[str, int] = Field(description="By reason; retry_later: to be sent again")
    pending: int = Field(description="In memory, or in the spool")


class Ingest(Model):
    """`GET /api/v1/ingest`: the ledger since the collector's start."""

    services: list[ServiceSpans]
    store_up: bool
    spool_batches: int
    spool_bytes: int
    spool_max_bytes: int


class QuarantinedSpans(Model):
    """Spans that the store refused for their content."""

    id: str
    service: str
    spans: int
    bytes: int
    message: str = Field(description="What the store said")
    quarantined_at_ms: int


class QuarantineReport(Model):
    """`GET /api/v1/quarantine`."""

    items: list[QuarantinedSpans]


class QuarantineReplay(Model):
    """`POST /api/v1/quarantine/replay`."""

    stored: int
    rejected: int = Field(description="Refused again, and kept anew")
