"""Services, and what enters them: routes, tasks, commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query

from hotspan_collector.api.backend import CurrentBackend  # noqa: TC001 (read by FastAPI)
from hotspan_collector.api.models import EntryGroup, EntryGroups, EntryKind, Service, Services
from hotspan_collector.api.periods import Period, Since, Until, parse_period
from hotspan_collector.api.times import from_nanoseconds
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from hotspan_collector.database import Database, Row

__all__ = ["read_services", "router"]

router = APIRouter(tags=["services"])

_QUERIES = load_blocks(__package__ or "", "services.sql")


@router.get("/services", summary="Services that had entries")
async def services(backend: CurrentBackend, since: Since = "", until: Until = "") -> Services:
    """Return services by environment, the busiest first; of the last day unless told otherwise."""
    period = parse_period(since, until)
    return await backend.workers.run(
        read_services, backend.database, period=period, limit=backend.settings.api_max_page
    )


@router.get("/entries", summary="Routes, tasks and commands")
async def entries(  # noqa: PLR0913 (filters)
    *,
    backend: CurrentBackend,
    service: Annotated[str, Query(description="Name of the service")] = "",
    environment: Annotated[str, Query(description="deployment.environment.name")] = "",
    kind: Annotated[EntryKind | None, Query(description="web, task or command")] = None,
    since: Since = "",
    until: Until = "",
) -> EntryGroups:
    """Return entries by route, task or command, those that took most time together first."""
    period = parse_period(since, until)
    filters = {"service": service, "environment": environment, "kind": kind or ""}
    return await backend.workers.run(
        _entry_groups,
        backend.database,
        period=period,
        filters=filters,
        limit=backend.settings.api_max_page,
    )


def read_services(database: Database, *, period: Period, limit: int) -> Services:
    """Return the services that had entries in a period, the busiest first."""
    rows = database.rows(_QUERIES["services"], {**period.parameters(), "limit": limit})
    return Services(services=[_service(row) for row in rows])


def _entry_groups(
    database: Database, *, period: Period, filters: dict[str, str], limit: int
) -> EntryGroups:
    parameters = {**period.parameters(), **filters, "limit": limit}
    rows = database.rows(_QUERIES["entry_groups"], parameters)
    return EntryGroups(entries=[_entry_group(row) for row in rows])


def _service(row: Row) -> Service:
    p50_ns, p95_ns = row["durations_ns"]
    return Service(
        name=row["service"],
        namespace=row["namespace"],
        environment=row["environment"],
        versions=row["versions"],
        entries=row["entries"],
        errors=row["errors"],
        p50_ms=p50_ns / 1e6,
        p95_ms=p95_ns / 1e6,
        last_seen=from_nanoseconds(row["last_seen_ns"]),
    )


def _entry_group(row: Row) -> EntryGroup:
    p50_ns, p95_ns = row["durations_ns"]
    return EntryGroup(
        service=row["service"],
        environment=row["environment"],
        kind=row["kind"],
        name=row["name"],
        entries=row["entries"],
        errors=row["errors"],
        p50_ms=p50_ns / 1e6,
        p95_ms=p95_ns / 1e6,
        queries_mean=row["queries_mean"],
        queries_p95=row["queries_p95"],
        last_seen=from_nanoseconds(row["last_seen_ns"]),
    )
