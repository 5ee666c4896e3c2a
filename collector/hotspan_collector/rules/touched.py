"""Knows which traces have to be looked at: those that spans have come for, and those that wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotspan_collector.rules.scratch import Scratch
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hotspan_collector.database import Database

__all__ = ["Bounds", "Touched"]

_SQL = load_blocks(__package__ or "", "touched.sql")
_WATERMARK = "evaluator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much is looked at, at once and again."""

    part_spans: int = 500_000
    """Bounds the memory of an evaluation; what is more is evaluated in the same tick, part by
    part."""
    long_trace_spans: int = 20_000
    """A trace of as many spans is read again after a second at the earliest, one of ten times as
    many after ten."""


class Touched:
    """The traces of a tick, in parts. For the evaluator's thread."""

    def __init__(self, database: Database, *, look_back_ms: int, bounds: Bounds) -> None:
        """Go on where the last evaluator stopped.

        Args:
            database: with the spans.
            look_back_ms: an insert becomes visible at most this long after the time it carries.
            bounds: how much is looked at.

        """
        self._database = database
        self._look_back_ms = look_back_ms
        self._bounds = bounds
        self._scratch = Scratch(database, _SQL)
        self.from_ms, self.finished_generation = self._resume()

    def find(self, *, now_ms: int) -> Sequence[range]:
        """Return what to look at, in ranges of numbers that `take` takes; `now_ms` since 1970."""
        self._scratch.empty("new_inserts", "touched_traces", "next_waiting_traces")
        self._execute("fill_new_inserts", from_ms=self.from_ms)
        self._execute("fill_touched_traces", now_ms=now_ms)
        if not self._scratch.is_empty("waiting_traces"):
            self._execute("rest", now_ms=now_ms)
        parts = self._database.rows(_SQL["parts"], {"spans_per_part": self._bounds.part_spans})
        return [range(int(part["first"]), int(part["last"]) + 1) for part in parts]

    def take(self, part: range) -> None:
        """Put the traces of a part into `tick_traces`."""
        self._scratch.empty("tick_traces")
        self._execute("fill_tick_traces", first=part.start, last=part.stop - 1)

    def wait(self, *, now_ms: int, unsettled: int, spans: int) -> None:
        """Keep those traces of the part for a later tick that are not settled, and long ones.

        Args:
            now_ms: milliseconds since 1970.
            unsettled: entries of the part that are not settled.
            spans: of the part.

        """
        if unsettled or spans >= self._bounds.long_trace_spans:
            self._execute("wait", now_ms=now_ms, long_trace_spans=self._bounds.long_trace_spans)

    def trace_id(self, number: int) -> str:
        """Return the hex id of a trace by its number."""
        return str(self._database.rows(_SQL["trace_of_number"], {"number": number})[0]["trace"])

    def remember(self, *, now_ms: int, generation: int) -> int:
        """End the tick: what it has looked at is done. Returns how many traces wait."""
        waiting = self._waiting()
        # Inserts that are under way carry a time at most so long ago: so far we look again.
        self.from_ms = max(self.from_ms, now_ms - self._look_back_ms)
        # What waits is known in memory only: whoever takes over must begin before it.
        oldest_ms = waiting["oldest_ms"] if waiting["traces"] else now_ms
        self._execute(
            "write_watermark",
            name=_WATERMARK,
            watermark_ms=min(self.from_ms, oldest_ms - 1),
            generation=generation,
        )
        self._scratch.empty("waiting_traces", "seen_inserts")
        if waiting["all"]:
            self._execute("keep_waiting_traces")
        self._execute("keep_seen_inserts")
        self.finished_generation = generation
        return waiting["traces"]

    def _waiting(self) -> Mapping[str, int]:
        if self._scratch.is_empty("next_waiting_traces"):
            return {"all": 0, "traces": 0, "oldest_ms": 0}
        return self._database.rows(_SQL["waiting"])[0]

    def _resume(self) -> tuple[int, int]:
        known = self._database.rows(_SQL["read_watermark"], {"name": _WATERMARK})
        if known:
            return int(known[0]["watermark_ms"]), int(known[0]["generation"])
        [first] = self._database.rows(_SQL["first_span"])
        return (int(first["first_ms"]) - 1 if first["spans"] else 0), 0

    def _execute(self, block: str, **parameters: object) -> None:
        self._scratch.execute(_SQL[block], parameters)
