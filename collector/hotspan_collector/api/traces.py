"""Traces: searching them, reading one, reading a span."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from hotspan_collector.api.backend import CurrentBackend  # noqa: TC001 (read by FastAPI)
from hotspan_collector.api.cursor import Cursor
from hotspan_collector.api.models import EntryKind, Span, Trace, TraceSummaries
from hotspan_collector.api.paging import Limit, page_size
from hotspan_collector.api.periods import Since, Until, parse_period
from hotspan_collector.api.trace import read_span, read_trace
from hotspan_collector.api.trace_search import TraceSearch, parse_attributes, search_traces

__all__ = ["router"]

router = APIRouter(tags=["traces"])

_MOST_ATTRIBUTES = 8
_LONGEST_MS = 1e12

TraceId = Annotated[
    str,
    Path(
        pattern="^[0-9a-fA-F]{32}$",
        description="32 hex digits",
        examples=["0af7651916cd43dd8448eb211c80319c"],
    ),
]
SpanId = Annotated[
    str,
    Path(pattern="^[0-9a-fA-F]{16}$", description="16 hex digits", examples=["b7ad6b7169203331"]),
]
Milliseconds = Annotated[
    float | None,
    Query(
        ge=0,
        le=_LONGEST_MS,
        allow_inf_nan=False,
        description="Of the entry, in milliseconds, included",
        examples=[250],
    ),
]


@router.get("/traces", summary="Search traces by their entries")
async def traces(  # noqa: PLR0913 (filters)
    *,
    backend: CurrentBackend,
    service: Annotated[str, Query(description="Name of the service")] = "",
    environment: Annotated[str, Query(description="deployment.environment.name")] = "",
    kind: Annotated[EntryKind | None, Query(description="web, task or command")] = None,
    name: Annotated[
        str,
        Query(
            description="Part of a route's, task's or command's name, in any case",
            examples=["orders/", "shop.tasks.send_mail"],
        ),
    ] = "",
    error: Annotated[bool | None, Query(description="Only those that failed, or did not")] = None,
    min_duration_ms: Milliseconds = None,
    max_duration_ms: Milliseconds = None,
    attribute: Annotated[
        list[str] | None,
        Query(
            description="`key=value`, on a span of the entry or on its resource; may be repeated: "
            f"all must be found. At most {_MOST_ATTRIBUTES}.",
            examples=["http.request.method=POST"],
        ),
    ] = None,
    since: Since = "",
    until: Until = "",
    cursor: Annotated[str, Query(description="`next_cursor` of the page before")] = "",
    limit: Limit = 50,
) -> TraceSummaries:
    """Return entries, newest first; of the last day unless told otherwise."""
    search = TraceSearch(
        period=parse_period(since, until),
        service=service,
        environment=environment,
        kind=kind or "",
        name=name,
        error=error,
        min_duration_ms=min_duration_ms,
        max_duration_ms=max_duration_ms,
        attributes=parse_attributes(attribute or [], most=_MOST_ATTRIBUTES),
        cursor=Cursor.decode(cursor) if cursor else None,
        limit=page_size(limit, most=backend.settings.api_max_page),
    )
    return await backend.workers.run(search_traces, backend.database, search)


@router.get("/traces/{trace_id}", summary="A trace", response_model=Trace)
async def trace(backend: CurrentBackend, trace_id: TraceId) -> Response:
    """Return the spans of a trace as a waterfall needs them, and its findings."""
    content = await backend.workers.run(
        read_trace,
        backend.database,
        backend.catalogue,
        trace_id=trace_id.lower(),
        max_spans=backend.settings.max_trace_spans,
    )
    return Response(content, media_type="application/json")


@router.get("/traces/{trace_id}/spans/{span_id}", summary="A span with all it carries")
async def span(backend: CurrentBackend, trace_id: TraceId, span_id: SpanId) -> Span:
    """Return a span with its attributes in the types they were sent with."""
    return await backend.workers.run(
        read_span, backend.database, trace_id=trace_id.lower(), span_id=span_id.lower()
    )
