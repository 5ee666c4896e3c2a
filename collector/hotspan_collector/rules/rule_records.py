"""Since when each rule has been the same and sound: what it did not see proves nothing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from hotspan_collector.database import time_text
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hotspan_collector.database import Database
    from hotspan_collector.rules.catalogue import Rule

__all__ = ["RuleRecord", "RuleRecords"]

_SQL = load_blocks(__package__ or "", "violations.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRecord:
    """A rule's record; times are milliseconds since 1970, and generations of the evaluator."""

    rule: str
    signature: str
    settings_since: int
    sound_since: int


class RuleRecords:
    """Reads and writes the records. For the evaluator's thread."""

    def __init__(self, database: Database, *, rules: Mapping[str, Rule], now_ms: int) -> None:
        """Take note of the rules that run from now on."""
        self._database = database
        known = {row["rule"]: RuleRecord(**row) for row in database.rows(_SQL["rule_records"])}
        signatures = {name: _signature(rule) for name, rule in rules.items()}
        gone = dict.fromkeys(known.keys() - rules.keys(), "")
        self._records = {
            name: _record(name, known.get(name), signature, now_ms=now_ms)
            for name, signature in {**gone, **signatures}.items()
        }
        changed = [each for name, each in self._records.items() if each != known.get(name)]
        self._write(changed, now_ms=now_ms)

    def __getitem__(self, rule_id: str) -> RuleRecord:
        return self._records[rule_id]

    def note_failed(self, rules: Iterable[str], *, now_ms: int) -> None:
        """Take note that rules could not look at what was evaluated until now."""
        failed = [
            replace(self._records[name], sound_since=now_ms + 1)
            for name in rules
            if name in self._records
        ]
        self._records.update({each.rule: each for each in failed})
        self._write(failed, now_ms=now_ms)

    def _write(self, records: Iterable[RuleRecord], *, now_ms: int) -> None:
        rows: list[dict[str, object]] = [
            {
                "rule": each.rule,
                "signature": each.signature,
                "settings_since": each.settings_since,
                "sound_since": each.sound_since,
                "recorded_at": time_text(now_ms),
            }
            for each in records
        ]
        self._database.insert_rows("rule_records", rows)


def _record(name: str, known: RuleRecord | None, signature: str, *, now_ms: int) -> RuleRecord:
    if known is not None and known.signature == signature:
        return known
    return RuleRecord(
        rule=name,
        signature=signature,
        settings_since=0 if known is None else now_ms,
        sound_since=now_ms,
    )


def _signature(rule: Rule) -> str:
    scopes = [{**asdict(each), "id": ""} for each in rule.scopes]
    text = json.dumps([dict(rule.values), scopes], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
