"""Violations: ranked by what they cost, and one with its evidence."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from hotspan_collector.api.backend import CurrentBackend  # noqa: TC001 (read by FastAPI)
from hotspan_collector.api.models import (  # noqa: TC001 (read by FastAPI)
    Severity,
    ViolationDetail,
    Violations,
    ViolationStatus,
)
from hotspan_collector.api.paging import Limit, page_size
from hotspan_collector.api.violation_reader import (
    ViolationFilter,
    read_violation,
    read_violations,
    statuses_of,
)

__all__ = ["router"]

router = APIRouter(tags=["violations"])


@router.get("/violations", summary="Violations, worst first")
async def violations(  # noqa: PLR0913 (filters)
    *,
    backend: CurrentBackend,
    service: Annotated[str, Query(description="Name of the service")] = "",
    environment: Annotated[str, Query(description="deployment.environment.name")] = "",
    rule: Annotated[str, Query(description="Id of a rule", examples=["n_plus_one"])] = "",
    severity: Annotated[Severity | None, Query(description="info, warning or critical")] = None,
    status: Annotated[
        ViolationStatus | Literal["active", "all"],
        Query(
            description="active: open, acknowledged, resolving or regressed; all; or one of open, "
            "acknowledged, ignored, resolving, verified_fixed, regressed, resolved"
        ),
    ] = "active",
    limit: Limit = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000, description="How many to leave out")] = 0,
) -> Violations:
    """Return violations by the seconds they lose a day."""
    wanted = ViolationFilter(
        service=service,
        environment=environment,
        rule=rule,
        severity=severity or "",
        statuses=statuses_of(status),
        limit=page_size(limit, most=backend.settings.api_max_page),
        offset=offset,
    )
    return await backend.workers.run(read_violations, backend.database, backend.catalogue, wanted)


@router.get("/violations/{violation_id}", summary="A violation with its evidence")
async def violation(
    backend: CurrentBackend,
    violation_id: Annotated[
        str, Path(description="Its fingerprint", examples=["v1:8f14e45fceea167a5a36dedd4bea2543"])
    ],
) -> ViolationDetail:
    """Return a violation, the newest finding as its evidence, and where else it was found."""
    return await backend.workers.run(
        read_violation, backend.database, backend.catalogue, violation_id
    )
