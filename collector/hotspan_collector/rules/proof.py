"""Whether a violation is fixed: by entries of newer releases that ran without it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "Baseline",
    "Proof",
    "Release",
    "Runs",
    "entries_needed",
    "newer_releases",
    "prove",
    "releases_since",
]

# How likely it may be that entries ran without a hit by chance.
_BY_CHANCE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release of a service in an environment, and when it was seen."""

    version: str
    first_seen_ms: int
    last_seen_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What it was like in the releases that were hit. Means are of the entries that were hit."""

    hits: float
    entries: float
    queries: float
    duration_ns: float
    lost_ns_a_day: float

    @property
    def hit_rate(self) -> float:
        """The share of entries that were hit."""
        return min(1.0, self.hits / self.entries) if self.entries > 0 else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Complete entries that ran without a hit."""

    entries: int
    queries: float
    duration_ns: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What shows that a violation is gone, as far as it does yet."""

    releases: tuple[str, ...]
    """Those in which it is gone; none when there are no versions, and somebody's word counts."""
    since_ms: int
    """When the first of them was first seen, or when somebody gave the word."""
    entries: int
    entries_needed: int
    hit_rate: float
    queries_before: float
    queries_after: float
    duration_ns_before: float
    duration_ns_after: float
    lost_ns_a_day_before: float

    @property
    def is_enough(self) -> bool:
        """Whether it is no chance any more."""
        return self.entries >= self.entries_needed


def newer_releases(
    releases: Iterable[Release], *, hit_versions: Sequence[str], last_hit_ms: int
) -> list[Release]:
    """Return the releases that were first seen after every one that was hit, oldest first."""
    known = {each.version: each for each in releases}
    hit_since = [
        known[version].first_seen_ms if version in known else last_hit_ms
        for version in hit_versions
    ]
    return [
        each
        for each in releases_since(known.values(), max(hit_since, default=last_hit_ms) + 1)
        if each.version not in hit_versions
    ]


def releases_since(releases: Iterable[Release], since_ms: int) -> list[Release]:
    """Return the releases that were first seen then or later, oldest first."""
    newer = [each for each in releases if each.first_seen_ms >= since_ms]
    return sorted(newer, key=lambda each: (each.first_seen_ms, each.version))


def entries_needed(hit_rate: float, *, least: int) -> int:
    """Return how many entries without a hit are no chance any more.

    Args:
        hit_rate: share of entries that were hit before, above 0.
        least: never fewer.

    """
    if hit_rate >= 1:
        return least
    return max(least, math.ceil(math.log(_BY_CHANCE) / math.log1p(-max(hit_rate, 1e-9))))


def prove(
    before: Baseline | Proof, runs: Runs, *, releases: Sequence[str], since_ms: int, least: int
) -> Proof:
    """Return what the runs of newer releases show.

    Args:
        before: what it was like; or the proof so far, which holds that.
        runs: entries of those releases.
        releases: their versions; none when somebody's word counts.
        since_ms: when the first was first seen, or the word was given.
        least: entries that are needed in any case.

    """
    counted = {
        "releases": tuple(releases),
        "since_ms": since_ms,
        "entries": runs.entries,
        "queries_after": runs.queries,
        "duration_ns_after": runs.duration_ns,
    }
    if isinstance(before, Proof):
        return replace(before, **counted)  # type: ignore[arg-type]
    return Proof(
        **counted,  # type: ignore[arg-type]
        entries_needed=entries_needed(before.hit_rate, least=least),
        hit_rate=before.hit_rate,
        queries_before=before.queries,
        duration_ns_before=before.duration_ns,
        lost_ns_a_day_before=before.lost_ns_a_day,
    )
