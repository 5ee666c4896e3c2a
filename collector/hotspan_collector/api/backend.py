"""What the routes work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotspan_collector.api.models import Status
    from hotspan_collector.api.workers import Workers
    from hotspan_collector.database import Database
    from hotspan_collector.ingest.pipeline import Pipeline
    from hotspan_collector.rules.catalogue import Catalogue
    from hotspan_collector.rules.trials import Trials
    from hotspan_collector.settings import Settings

__all__ = ["Backend", "CurrentBackend"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """What the API reads from, and by which limits."""

    database: Database
    catalogue: Catalogue
    status: Callable[[], Status]
    settings: Settings
    workers: Workers
    health_workers: Workers
    pipeline: Pipeline | None = None
    metrics: Callable[[], bytes] | None = None
    trials: Trials | None = None


async def _current(request: Request) -> Backend:
    backend: Backend = request.app.state.backend
    return backend


CurrentBackend = Annotated[Backend, Depends(_current)]
