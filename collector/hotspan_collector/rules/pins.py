"""Keeps what shows that a violation is one for as long as it is not settled.

Findings and spans go when their retention is over. Of each violation that is still somebody's work,
the newest and the worst finding are copied with their traces before that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from hotspan_collector.database import Database

__all__ = ["pin_evidence"]

_SQL = load_blocks(__package__ or "", "pins.sql")
_AT_ONCE = 100
# Parameters of `pin_findings`, and what they hold of each finding.
_PLACES = {
    "fingerprints": "fingerprint",
    "roles": "role",
    "traces": "trace",
    "entries": "entry",
    "generations": "finding_generation",
}


def pin_evidence(database: Database, *, before_ms: int, most_spans: int) -> int:
    """Copy evidence that began before a time; return how many findings were copied.

    Args:
        database: with findings, spans and violations.
        before_ms: newer evidence need not be copied yet; in milliseconds since 1970.
        most_spans: of one trace, by start.

    """
    found = database.rows(_SQL["unsettled_evidence"], {"before_ms": before_ms})
    traces = sorted({row["trace"] for row in found})
    # Spans first: what is pinned is looked for no more.
    for first in range(0, len(traces), _AT_ONCE):
        chosen = traces[first : first + _AT_ONCE]
        database.execute(_SQL["pin_spans"], {"traces": chosen, "most_spans": most_spans})
    for first in range(0, len(found), _AT_ONCE):
        rows = found[first : first + _AT_ONCE]
        parameters = {place: [row[column] for row in rows] for place, column in _PLACES.items()}
        database.execute(_SQL["pin_findings"], parameters)
    if found and database.rows(_SQL["unneeded_spans"])[0]["spans"]:
        database.execute(_SQL["unpin_spans"])
    return len(found)
