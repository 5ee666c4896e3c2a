"""What became of the spans that services sent, in words and as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotspan_ui import links
from hotspan_ui.views import text
from hotspan_ui.views.table import Cell, Column, LinkRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hotspan_ui.models import Ingest, ServiceSpans
    from hotspan_ui.views.table import Tone

COLUMNS: Final = (
    Column("Service", "minmax(9rem, 1.6fr)"),
    Column("Received", "6.5rem", "end"),
    Column("Stored", "6.5rem", "end"),
    Column("Waiting", "5.5rem", "end"),
    Column("Rejected", "minmax(7rem, 1fr)", "end"),
    Column("Dropped", "minmax(7rem, 1fr)", "end"),
)
_RETRY_LATER = "retry_later"
_MIB = 1024 * 1024


def rows(ingest: Ingest) -> Sequence[LinkRow]:
    """Return a row for each service, those that lost most first."""
    ordered = sorted(ingest.services, key=lambda each: (-_lost(each), -each.received, each.service))
    return [_row(each) for each in ordered]


def trouble(ingest: Ingest) -> str:
    """Say what keeps spans from being stored; empty when nothing does."""
    if ingest.store_up and not ingest.spool_batches:
        return ""
    state = "What waited on disk is being stored." if ingest.store_up else "The store is away."
    if not ingest.spool_max_bytes:
        return f"{state} There is no spool: senders are told to keep their spans."
    kept = f"{ingest.spool_bytes / _MIB:,.1f} of {ingest.spool_max_bytes / _MIB:,.0f} MiB"
    return f"{state} Waiting on disk: {text.count(ingest.spool_batches)} batches, {kept}."


def _row(spans: ServiceSpans) -> LinkRow:
    name = spans.service or "(no name)"
    return LinkRow(
        key=name,
        url=links.traces(service=spans.service).url,
        cells=(
            Cell(name, style="strong"),
            Cell(text.count(spans.received)),
            Cell(text.count(spans.stored)),
            _number(spans.pending),
            _losses(spans.rejected, tone="warning"),
            _losses(spans.dropped, tone="critical"),
        ),
    )


def _number(spans: int) -> Cell:
    return Cell(text.count(spans)) if spans else Cell(text.NOTHING, tone="muted")


def _losses(by_reason: Mapping[str, int], *, tone: Tone) -> Cell:
    if not any(by_reason.values()):
        return Cell(text.NOTHING, tone="muted")
    told = ", ".join(
        f"{reason.replace('_', ' ')} {text.count(n)}" for reason, n in by_reason.items()
    )
    only_later = set(by_reason) == {_RETRY_LATER}
    return Cell(
        text.count(sum(by_reason.values())), sub=told, tone="" if only_later else tone, title=told
    )


def _lost(spans: ServiceSpans) -> int:
    """Spans that will not come again."""
    later = spans.dropped.get(_RETRY_LATER, 0)
    return sum(spans.rejected.values()) + sum(spans.dropped.values()) - later
