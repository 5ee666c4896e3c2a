"""Looks for proof that violations are fixed (docs/adr/0004-lifecycle.md)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from hotspan_collector.rules.lifecycle import weigh
from hotspan_collector.rules.proof import Baseline, Runs, newer_releases, prove
from hotspan_collector.rules.rule_records import RuleRecords
from hotspan_collector.rules.violation_table import ViolationTable
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hotspan_collector.database import Database, Row
    from hotspan_collector.rules.catalogue import Catalogue
    from hotspan_collector.rules.proof import Proof, Release
    from hotspan_collector.rules.violation import Change, ViolationRow

__all__ = ["Fixes"]

_SQL = load_blocks(__package__ or "", "violations.sql")
# What looks back for days hardly changes in half a minute: it is looked at again after a
# two-hundredth of that.
_ALWAYS_MS = 3_600_000
_ROUNDS = 200


class Fixes:
    """Weighs what newer releases show. For the evaluator's thread."""

    def __init__(
        self, database: Database, *, catalogue: Catalogue, min_entries: int, now_ms: int
    ) -> None:
        """Prepare, and take note of the rules that run from now on.

        Args:
            database: holds entries, findings and violations.
            catalogue: the rules that run.
            min_entries: entries without a hit that are needed in any case.
            now_ms: milliseconds since 1970.

        """
        database.execute(_SQL["create_proof_releases"])
        rules = {rule.id: rule for rule in catalogue.rules.values() if rule.kind == "structural"}
        self._database = database
        self._table = ViolationTable(database)
        self._rules = sorted(rules)
        self._min_entries = min_entries
        self._records = RuleRecords(database, rules=rules, now_ms=now_ms)
        self._due_at_ms = 0

    def note_failed(self, failed: Iterable[str], *, now_ms: int) -> None:
        """Take note of what failed in a tick: rules, or what all of them read."""
        names = set(failed)
        if not names:
            return
        blind = names if names <= set(self._rules) else self._rules
        self._records.note_failed(blind, now_ms=now_ms)

    def find(self, *, now_ms: int) -> Sequence[Change]:
        """Weigh what there is, and return what changed by it."""
        if now_ms < self._due_at_ms:
            return []
        watched = self._table.select("violations_to_prove", {"rules": self._rules})
        releases = self._table.releases(watched)
        newer = {
            row.fingerprint: newer_releases(
                releases.get((row.service, row.namespace, row.environment), ()),
                hit_versions=row.hit_versions,
                last_hit_ms=row.last_seen_ms,
            )
            for row in watched
            if row.claimed_at_ms is None
            and row.last_seen_ms >= self._records[row.rule].settings_since
        }
        rows = [row for row in watched if row.claimed_at_ms or newer.get(row.fingerprint)]
        if not rows:
            return []
        self._fill(rows, newer)
        baselines = self._baselines()
        runs = self._runs(rows, newer, now_ms=now_ms)
        proofs = {
            row.fingerprint: self._proof(row, baselines, runs, newer.get(row.fingerprint, []))
            for row in rows
        }
        weighed = [
            (row, weigh(row, proof, now_ms=now_ms))
            for row in rows
            if (proof := proofs[row.fingerprint]) is not None
        ]
        changes = [change for _, (_, change) in weighed if change is not None]
        changed = [after for before, (after, _) in weighed if after != before]
        self._table.write(changed, changes, now_ms=now_ms)
        return changes

    def _fill(self, rows: Sequence[ViolationRow], newer: Mapping[str, Sequence[Release]]) -> None:
        """Say which releases are of interest, in the table that the queries read."""
        self._database.execute(_SQL["empty_proof_releases"])
        hit = [
            _release_values(row, version, newer=False)
            for row in rows
            if row.proof is None
            for version in row.hit_versions
        ]
        fixed = [
            _release_values(row, release.version, newer=True)
            for row in rows
            for release in newer.get(row.fingerprint, ())
        ]
        self._database.insert_rows("proof_releases", [*hit, *fixed])

    def _baselines(self) -> dict[str, Baseline]:
        return {
            row["fingerprint"]: Baseline(
                hits=row["hit"],
                entries=row["entries"],
                queries=row["queries"],
                duration_ns=row["duration_ns"],
                lost_ns_a_day=row["lost_ns_a_day"],
            )
            for row in self._database.rows(_SQL["entries_before"])
        }

    def _runs(
        self,
        rows: Sequence[ViolationRow],
        newer: Mapping[str, Sequence[Release]],
        *,
        now_ms: int,
    ) -> dict[str, Runs]:
        """Count the entries of newer releases, and those since somebody's word."""
        found: dict[str, Runs] = {}
        by_record: dict[int, list[ViolationRow]] = defaultdict(list)
        since_ms = now_ms
        for row in rows:
            sound_since = self._records[row.rule].sound_since
            if row.claimed_at_ms is not None or row.counts_since_ms is not None:
                versions = [each.version for each in newer.get(row.fingerprint, ())]
                found[row.fingerprint] = self._runs_since(row, versions, sound_since=sound_since)
                continue
            by_record[sound_since].append(row)
            since_ms = min(since_ms, newer[row.fingerprint][0].first_seen_ms)
        for sound_since, group in by_record.items():
            parameters = {"since_ms": since_ms, "sound_since": sound_since}
            counted = self._database.rows(_SQL["entries_of_newer_releases"], parameters)
            wanted = {row.fingerprint for row in group}
            found |= {
                each["fingerprint"]: _runs_from(each)
                for each in counted
                if each["fingerprint"] in wanted
            }
        looked_back_ms = now_ms - since_ms
        rest_ms = looked_back_ms // _ROUNDS if looked_back_ms > _ALWAYS_MS else 0
        self._due_at_ms = now_ms + rest_ms
        return found

    def _runs_since(self, row: ViolationRow, versions: Sequence[str], *, sound_since: int) -> Runs:
        parameters = {
            "since_ms": max(row.claimed_at_ms or 0, row.counts_since_ms or 0),
            "versions": list(versions),
            "sound_since": sound_since,
            "service": row.service,
            "namespace": row.namespace,
            "environment": row.environment,
            "entry_name": row.entry_name,
            "entry_kind": row.entry_kind,
        }
        return _runs_from(self._database.rows(_SQL["entries_since"], parameters)[0])

    def _proof(
        self,
        row: ViolationRow,
        baselines: Mapping[str, Baseline],
        runs: Mapping[str, Runs],
        newer: Sequence[Release],
    ) -> Proof | None:
        before = row.proof or baselines.get(row.fingerprint)
        ran = runs.get(row.fingerprint)
        if before is None or ran is None:
            return None
        if row.claimed_at_ms is not None and isinstance(before, Baseline):
            # Those after the word are of the same releases, and are no part of what was before.
            before = replace(before, entries=before.entries - ran.entries)
        return prove(
            before,
            ran,
            releases=[each.version for each in newer],
            since_ms=newer[0].first_seen_ms if newer else row.claimed_at_ms or 0,
            least=self._min_entries,
        )


def _runs_from(row: Row) -> Runs:
    return Runs(entries=row["entries"], queries=row["queries"], duration_ns=row["duration_ns"])


def _release_values(row: ViolationRow, version: str, *, newer: bool) -> dict[str, object]:
    return {
        "fingerprint": row.fingerprint,
        "service": row.service,
        "namespace": row.namespace,
        "environment": row.environment,
        "entry_kind": row.entry_kind,
        "entry_name": row.entry_name,
        "version": version,
        "newer": newer,
    }
