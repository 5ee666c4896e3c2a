"""What became of the spans that came: the ledger, the quarantine, and metrics for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Depends, Response

from hotspan_collector.api.auth import authorize
from hotspan_collector.api.backend import (  # noqa: TC001 (read by FastAPI)
    CurrentBackend,
)
from hotspan_collector.api.ingest_models import (
    Ingest,
    QuarantinedSpans,
    QuarantineReplay,
    QuarantineReport,
    ServiceSpans,
)
from hotspan_collector.api.problems import NotFoundError

if TYPE_CHECKING:
    from hotspan_collector.ingest.pipeline import Pipeline

__all__ = ["metrics_router", "router"]

router = APIRouter(tags=["ingest"])
metrics_router = APIRouter(tags=["health"], dependencies=[Depends(authorize)])

_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


async def _pipeline(backend: CurrentBackend) -> Pipeline:
    if backend.pipeline is None:
        raise NotFoundError("This process takes no spans: ask the one that does.")
    return backend.pipeline


@router.get("/ingest", summary="What became of the spans that came")
async def ingest(backend: CurrentBackend) -> Ingest:
    """Return, by service, received = stored + rejected + dropped + pending, since the start."""
    pipeline = await _pipeline(backend)
    return Ingest(
        services=[
            ServiceSpans(
                service=service,
                received=account.received,
                stored=account.stored,
                rejected=dict(account.rejected),
                dropped=dict(account.dropped),
                pending=account.pending,
            )
            for service, account in sorted(pipeline.ledger.accounts().items())
        ],
        store_up=pipeline.writer.is_store_up,
        spool_batches=0 if pipeline.spool is None else len(pipeline.spool),
        spool_bytes=0 if pipeline.spool is None else pipeline.spool.bytes,
        spool_max_bytes=0 if pipeline.spool is None else pipeline.spool.max_bytes,
    )


@router.get("/quarantine", summary="Spans that the store refused")
async def quarantine(backend: CurrentBackend) -> QuarantineReport:
    """Return what is kept of them, oldest first, and what the store said."""
    pipeline = await _pipeline(backend)
    items = await backend.workers.run(pipeline.quarantine.items)
    return QuarantineReport(
        items=[
            QuarantinedSpans(
                id=item.id,
                service=item.service,
                spans=item.spans,
                bytes=item.bytes,
                message=item.message,
                quarantined_at_ms=item.quarantined_at_ms,
            )
            for item in items
        ]
    )


@router.post("/quarantine/replay", summary="Try to store them again")
async def replay(backend: CurrentBackend) -> QuarantineReplay:
    """Store all that are kept as if they came now; those that are refused again are kept anew."""
    pipeline = await _pipeline(backend)
    stored = rejected = 0
    for item in await backend.workers.run(pipeline.quarantine.items):
        body = pipeline.quarantine.body(item.id)
        if body is None:
            continue
        outcome = await pipeline.intake.take(body)
        pipeline.quarantine.remove(item.id)
        rejected += outcome.rejected
        stored += item.spans - outcome.rejected
    return QuarantineReplay(stored=stored, rejected=rejected)


@metrics_router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "Prometheus's text format"}},
)
async def metrics(backend: CurrentBackend) -> Response:
    """Return counters and gauges of the collector."""
    if backend.metrics is None:
        raise NotFoundError("This process has no metrics.")
    return Response(backend.metrics(), media_type=_PROMETHEUS)
