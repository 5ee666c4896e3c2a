"""Puts the API together."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import APIRouter, Depends, FastAPI

from hotspan_collector import __version__
from hotspan_collector.api import catalogue as catalogue_routes
from hotspan_collector.api import (
    health,
    ingest,
    rule_trials,
    services,
    traces,
    violation_actions,
    violations,
)
from hotspan_collector.api.auth import authorize
from hotspan_collector.api.backend import Backend
from hotspan_collector.api.models import Problem
from hotspan_collector.api.problems import answer_errors_as_problems
from hotspan_collector.api.workers import Workers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from hotspan_collector.api.models import Status
    from hotspan_collector.database import Database
    from hotspan_collector.ingest.pipeline import Pipeline
    from hotspan_collector.rules.catalogue import Catalogue
    from hotspan_collector.rules.trials import Trials
    from hotspan_collector.settings import Settings

__all__ = ["create_app"]

_DESCRIPTION = """\
What hotspan found in the traces of Django and Celery systems, and the traces themselves.

Times are RFC 3339 in UTC. Names end in their unit: `_ms` milliseconds, `_us` microseconds. Ids are
lower-case hex. Every error is a `Problem`: `code` for programs, `message` for people.
"""
_PROBLEMS: dict[int | str, dict[str, object]] = {
    400: {"model": Problem, "description": "A parameter cannot be used; the message says why"},
    401: {"model": Problem, "description": "A key is asked for"},
    404: {"model": Problem, "description": "Nothing is stored under this id"},
    409: {"model": Problem, "description": "It cannot be done in this state; the message says why"},
    503: {"model": Problem, "description": "The store does not answer; see Retry-After"},
}


def create_app(  # noqa: PLR0913 (parts)
    *,
    database: Database,
    catalogue: Catalogue,
    status: Callable[[], Status],
    settings: Settings,
    pipeline: Pipeline | None = None,
    metrics: Callable[[], bytes] | None = None,
    trials: Trials | None = None,
) -> FastAPI:
    """Return the API as an ASGI application.

    Args:
        database: where spans, entries, findings and violations are read from.
        catalogue: the rules that run, with their words.
        status: tells how the collector is; called in a thread of the API's own.
        settings: keys and limits.
        pipeline: takes spans, when this process does.
        metrics: returns them in Prometheus's format.
        trials: takes rules to be tried, when this process evaluates.

    """
    workers = Workers(threads=settings.api_threads, max_waiting=settings.api_max_waiting)
    # Of their own: slow queries must not make the collector look ill.
    health_workers = Workers(threads=1, max_waiting=settings.api_max_waiting)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        del app
        yield
        workers.close()
        health_workers.close()

    app = FastAPI(
        title="hotspan",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        openapi_url="/api/v1/openapi.json",
        # FastAPI's documentation page loads scripts from the internet.
        docs_url=None,
        redoc_url=None,
    )
    app.state.backend = Backend(
        database=database,
        catalogue=catalogue,
        status=status,
        settings=settings,
        workers=workers,
        health_workers=health_workers,
        pipeline=pipeline,
        metrics=metrics,
        trials=trials,
    )
    answer_errors_as_problems(app)
    app.include_router(health.router)
    app.include_router(ingest.metrics_router)
    app.include_router(_versioned(everything=settings.has_role("api")))
    return app


def _versioned(*, everything: bool) -> APIRouter:
    """Return the routes; without `everything`, those that tell of this process only."""
    router = APIRouter(prefix="/api/v1", dependencies=[Depends(authorize)], responses=_PROBLEMS)
    router.include_router(health.status_router)
    router.include_router(ingest.router)
    if everything:
        router.include_router(services.router)
        router.include_router(traces.router)
        router.include_router(violations.router)
        router.include_router(violation_actions.router)
        router.include_router(rule_trials.router)
        router.include_router(catalogue_routes.router)
    return router
