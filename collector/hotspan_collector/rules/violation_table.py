"""Violations as they stand in the store, and what became of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from hotspan_collector.database import time_text
from hotspan_collector.rules.actions import Action
from hotspan_collector.rules.proof import Proof, Release
from hotspan_collector.rules.violation import Change, Ignoring, ViolationRow
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hotspan_collector.database import Database

__all__ = ["ServiceKey", "ViolationTable", "ignoring_text", "row_from"]

ServiceKey = tuple[str, str, str]
"""Service, namespace and environment: what has releases of its own."""

_SQL = load_blocks(__package__ or "", "violations.sql")
_FIELDS = {item.name for item in fields(ViolationRow)}
_TIMES = (
    "first_seen_ms",
    "last_seen_ms",
    "opened_at_ms",
    "changed_at_ms",
    "claimed_at_ms",
    "counts_since_ms",
    "fixed_at_ms",
)
_FINGERPRINTS_A_QUERY = 500


class ViolationTable:
    """Reads and writes violations, their changes, and what people say of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def select(self, block: str, parameters: Mapping[str, object]) -> list[ViolationRow]:
        """Return the violations that a block of violations.sql selects."""
        return [row_from(row) for row in self._database.rows(_SQL[block], parameters)]

    def known(self, fingerprints: Iterable[str]) -> dict[str, ViolationRow]:
        """Return those that are stored, by fingerprint."""
        wanted = list(fingerprints)
        chunks = [
            wanted[start : start + _FINGERPRINTS_A_QUERY]
            for start in range(0, len(wanted), _FINGERPRINTS_A_QUERY)
        ]
        rows = [
            row
            for chunk in chunks
            for row in self.select("known_violations", {"fingerprints": chunk})
        ]
        return {row.fingerprint: row for row in rows}

    def releases(self, of: Iterable[ViolationRow]) -> dict[ServiceKey, list[Release]]:
        """Return the releases of the services of violations."""
        services = sorted({row.service for row in of})
        if not services:
            return {}
        found: dict[ServiceKey, list[Release]] = {}
        for row in self._database.rows(_SQL["releases"], {"services": services}):
            key = (row["service"], row["namespace"], row["environment"])
            release = Release(
                version=row["version"],
                first_seen_ms=row["first_seen_ms"],
                last_seen_ms=row["last_seen_ms"],
            )
            found.setdefault(key, []).append(release)
        return found

    def pending_actions(self, fingerprints: Sequence[str] = ()) -> list[Action]:
        """Return what people have said and is not applied yet; of all violations, or of these."""
        parameters = {"fingerprints": list(fingerprints)}
        return [
            Action(**{**row, "ignoring": _ignoring_from(row["ignoring"])})
            for row in self._database.rows(_SQL["pending_actions"], parameters)
        ]

    def write(
        self,
        rows: Iterable[ViolationRow],
        changes: Iterable[Change] = (),
        *,
        now_ms: int,
    ) -> None:
        """Store violations, and what became of them before that: a crash forgets no change."""
        told = [_change_values(change, now_ms=now_ms) for change in changes]
        self._database.insert_rows("violation_changes", told)
        values = [_values_of(row, now_ms=now_ms) for row in rows]
        self._database.insert_rows("violations", values)


def row_from(values: Mapping[str, Any]) -> ViolationRow:
    """Return a row of `current_violations`, or what findings amount to, as a violation."""
    known = {name: value for name, value in values.items() if name in _FIELDS}
    known["hit_versions"] = tuple(known.get("hit_versions", ()))
    known["ignoring"] = _ignoring_from(known.get("ignoring", ""))
    known["proof"] = _proof_from(known.get("proof", ""))
    return ViolationRow(**known)


def ignoring_text(ignoring: Ignoring | None) -> str:
    """Return until when something is ignored, as it is stored."""
    return "" if ignoring is None else json.dumps(asdict(ignoring))


def _ignoring_from(text: str) -> Ignoring | None:
    return Ignoring(**json.loads(text)) if text else None


def _proof_from(text: str) -> Proof | None:
    if not text:
        return None
    values = json.loads(text)
    return Proof(**{**values, "releases": tuple(values["releases"])})


def _values_of(row: ViolationRow, *, now_ms: int) -> dict[str, object]:
    values: dict[str, object] = asdict(row)
    for name in _TIMES:
        moment = values.pop(name)
        values[name.removesuffix("_ms")] = None if moment is None else time_text(int(str(moment)))
    values["ignoring"] = ignoring_text(row.ignoring)
    values["proof"] = "" if row.proof is None else json.dumps(asdict(row.proof))
    return {**values, "updated_at": time_text(now_ms)}


def _change_values(change: Change, *, now_ms: int) -> dict[str, object]:
    row = change.violation
    return {
        "fingerprint": row.fingerprint,
        "id": change.id or _identify(change),
        "at": time_text(row.changed_at_ms if change.id and row.changed_at_ms else now_ms),
        "event": change.event,
        "from_status": change.previous,
        "to_status": row.status,
        "by": row.changed_by,
        "reason": row.reason,
        "version": row.regressed_version if row.status == "regressed" else row.last_version,
    }


def _identify(change: Change) -> str:
    """Return an id that is the same when a change is decided again after a crash."""
    row = change.violation
    parts = (row.fingerprint, change.event, change.previous, row.fixed_at_ms, row.last_seen_ms)
    text = "\n".join(map(str, parts))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
