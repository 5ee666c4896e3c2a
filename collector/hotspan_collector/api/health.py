"""Is the collector well: for people, for load balancers and for orchestrators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, status
from fastapi.responses import JSONResponse  # noqa: TC002 (read by FastAPI)

from hotspan_collector.api.backend import (  # noqa: TC001 (read by FastAPI)
    Backend,
    CurrentBackend,
)
from hotspan_collector.api.models import Health, Problem, Status
from hotspan_collector.api.problems import problem
from hotspan_collector.errors import HotspanError
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotspan_collector.database import Database

__all__ = ["router", "status_router", "why_not_ready"]

router = APIRouter(tags=["health"])
status_router = APIRouter(tags=["health"])

_QUERIES = load_blocks(__package__ or "", "health.sql")


@router.get("/healthz", summary="Is the process up")
async def healthz() -> Health:
    """Answer as long as the process runs."""
    return Health(status="ok")


@router.get(
    "/readyz",
    summary="Does everything work",
    response_model=Health,
    responses={503: {"model": Problem, "description": "Not ready, and why"}},
)
async def readyz(backend: CurrentBackend) -> JSONResponse | Health:
    """Answer 200 while the store answers and the evaluator runs, 503 with the reason otherwise.

    A process without the role `evaluate` does not ask for the evaluator. One that stands by is
    ready while the one that evaluates is well.
    """
    reason = await backend.health_workers.run(_why_not_ready, backend)
    if reason is None:
        return Health(status="ok")
    code, message = reason
    return problem(status.HTTP_503_SERVICE_UNAVAILABLE, code=code, message=message)


@status_router.get("/status", summary="How the collector is")
async def collector_status(backend: CurrentBackend) -> Status:
    """Return counters, and how far the evaluator is behind."""
    return await backend.health_workers.run(backend.status)


def _why_not_ready(backend: Backend) -> tuple[str, str] | None:
    return why_not_ready(
        backend.database, backend.status, max_lag_s=backend.settings.ready_max_lag_s
    )


def why_not_ready(
    database: Database, status: Callable[[], Status], *, max_lag_s: float
) -> tuple[str, str] | None:
    """Return a code and words for what does not work, or None: of store and evaluator."""
    try:
        database.rows(_QUERIES["ping"])
        known = status()
    except HotspanError as error:
        return "store_unavailable", f"The store does not answer: {str(error).partition(chr(10))[0]}"
    if "evaluate" not in known.roles:
        return None
    evaluator_lag_s = known.evaluator_lag_s
    if evaluator_lag_s is None:
        return (
            "evaluator_stopped",
            "The evaluator does not run (yet): spans are stored, not judged.",
        )
    if evaluator_lag_s > max_lag_s:
        message = (
            f"No evaluation has worked for {evaluator_lag_s:.0f} s: spans are stored, not judged. "
            "The collector's log says why (event tick_failed)."
        )
        return "evaluator_stopped", message
    return None
