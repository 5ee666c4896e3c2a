"""Entries as the evaluator leaves them, put into the store at once; and one rule run over them."""

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from hotspan_collector.database import Database
from hotspan_collector.rules.catalogue import load_catalogue
from hotspan_collector.rules.scratch import Scratch
from hotspan_collector.rules.violations import Violations
from hotspan_collector.rules.windows import TABLES, Windows

RULES = load_catalogue().rules
_ids = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What an entry ran, once or more often."""

    fingerprint: int = 1
    param_hash: str = "00000000000000aa"
    is_write: bool = False
    count: int = 1
    time_ms: float = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry; times are before now."""

    ago_s: float = 60
    name: str = "GET erp/orders/"
    kind: str = "web"
    duration_ms: float = 10
    service: str = "shop"
    namespace: str = ""
    environment: str = "production"
    version: str = "1.0.0"
    error: bool = False
    task_state: str = ""
    task_retries: int = 0
    task_outcome: str = ""
    message_id: str = ""
    queue: str = ""
    queue_wait_ms: float | None = None
    weight: float = 1
    partial: bool = False
    db_queries: int = 0
    db_time_ms: float = 0
    http_time_ms: float = 0
    db_max_rows: int = 0
    counters: Mapping[str, float] = field(default_factory=dict)
    statements: Sequence[Statement] = ()
    databases: Mapping[str, int] = field(default_factory=dict)
    trace_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A task that an entry asked for."""

    ago_s: float
    message_id: str
    task: str = "shop.tasks.send"
    queue: str = "celery"
    service: str = "shop"
    environment: str = "production"
    by: Entry | None = None
    eta_s: float | None = None
    expires_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A finding, as the people read it."""

    environment: str
    entry: str
    identity: str
    severity: str
    confidence: str
    count: int
    summary: str
    suggestion: str
    missing: Sequence[str]


def task(**values: object) -> Entry:
    """Return a run of a task that succeeded."""
    return replace(
        Entry(name="shop.tasks.send", kind="task", task_state="SUCCESS", queue="celery"), **values
    )


def spread(entry: Entry, count: int, *, over_s: float = 240, from_s: float = 10) -> list[Entry]:
    """Return an entry `count` times, evenly over the last `over_s` seconds."""
    return [
        replace(entry, ago_s=from_s + over_s * number / max(1, count)) for number in range(count)
    ]


def store_entries(database: Database, entries: Sequence[Entry]) -> None:
    """Put entries into the store; each has a trace of its own unless it says which."""
    now_ns = time.time_ns()
    for start in range(0, len(entries), 500):
        rows = ", ".join(_row(entry, now_ns) for entry in entries[start : start + 500])
        database.execute(
            "INSERT INTO entries (start_time, duration_ns, trace_id, entry_span_id, service, "
            "namespace, environment, version, kind, name, error, task_state, task_retries, "
            "task_outcome, message_id, queue, queue_wait_ms, weight, partial, db_queries, "
            "db_time_ns, http_time_ns, db_max_rows, counters, statements, databases, generation) "
            f"VALUES {rows}"
        )


def store_publications(database: Database, publications: Sequence[Publication]) -> None:
    """Put publications into the store; `by` must have a trace id."""
    if not publications:
        return
    rows = ", ".join(_publication_row(each, time.time_ns()) for each in publications)
    database.execute(
        "INSERT INTO publications (published_at, trace_id, span_id, entry_span_id, service, "
        "environment, task, queue, message_id, eta, expires, generation) "
        f"VALUES {rows}"
    )


def store_statement(database: Database, fingerprint: int, text: str) -> None:
    """Tell the text of a statement."""
    database.execute(
        "INSERT INTO statements SELECT {fingerprint:UInt64}, {text:String}, now()",
        {"fingerprint": fingerprint, "text": text},
    )


def find(database: Database, rule_id: str, **settings: object) -> list[Found]:
    """Run one rule over what is stored, and return what it found."""
    catalogue = load_catalogue(
        values={rule_id: settings}, disabled=[other for other in RULES if other != rule_id]
    )
    violations = Violations(database, catalogue=catalogue, open_after_hits=1)
    windows = Windows(
        database,
        catalogue=catalogue,
        violations=violations,
        scratch=Scratch(database, TABLES),
    )
    now_ms = time.time_ns() // 1_000_000
    _, failed = windows.run(now_ms=now_ms, generation=now_ms)
    if failed:
        raise AssertionError(failed[rule_id])
    rule = catalogue.rules[rule_id]
    rows = database.rows("SELECT * FROM window_findings ORDER BY entry_name, identity")
    return [_found(rule, row) for row in rows]


def _found(rule, row) -> Found:
    known = {
        "entry": row["entry_name"],
        "service": row["service"],
        "statement": row["statement"],
        "count": str(row["count"]),
        **row["details"],
    }
    return Found(
        environment=row["environment"],
        entry=row["entry_name"],
        identity=row["identity"],
        severity=row["severity"],
        confidence=row["confidence"],
        count=row["count"],
        summary=rule.summarise(row["count"], row["wasted_ns"] / 1e6, known),
        suggestion=rule.suggest(row["suggestion"], known),
        missing=row["missing"],
    )


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _time(now_ns: int, ago_s: float, scale: int = 9) -> str:
    moment_ns = now_ns - round(ago_s * 1e9)
    return f"toDateTime64('{moment_ns / 10**9:.3f}', {scale}, 'UTC')"


def _map(values: Mapping[str, float], value_type: str) -> str:
    pairs = ", ".join(f"{_text(key)}, {value}" for key, value in values.items())
    return f"CAST(map({pairs}), 'Map(LowCardinality(String), {value_type})')"


def _row(entry: Entry, now_ns: int) -> str:
    statements = ", ".join(
        f"({each.fingerprint}, {_text(each.param_hash)}, {each.is_write}, {each.count}, "
        f"{round(each.time_ms * 1e6)})"
        for each in entry.statements
    )
    values = (
        _time(now_ns, entry.ago_s),
        round(entry.duration_ms * 1e6),
        f"unhex('{entry.trace_id or f'{next(_ids):032x}'}')",
        "unhex('00000000000000e1')",
        _text(entry.service),
        _text(entry.namespace),
        _text(entry.environment),
        _text(entry.version),
        _text(entry.kind),
        _text(entry.name),
        entry.error,
        _text(entry.task_state),
        entry.task_retries,
        _text(entry.task_outcome),
        _text(entry.message_id),
        _text(entry.queue),
        "NULL" if entry.queue_wait_ms is None else entry.queue_wait_ms,
        entry.weight,
        entry.partial,
        entry.db_queries,
        round(entry.db_time_ms * 1e6),
        round(entry.http_time_ms * 1e6),
        entry.db_max_rows,
        _map(entry.counters, "Float64"),
        f"[{statements}]",
        _map(entry.databases, "UInt64"),
        1,
    )
    return f"({', '.join(map(str, values))})"


def _publication_row(publication: Publication, now_ns: int) -> str:
    by = publication.by
    values = (
        _time(now_ns, publication.ago_s),
        f"unhex('{by.trace_id if by else f'{next(_ids):032x}'}')",
        f"unhex('{next(_ids):016x}')",
        "unhex('00000000000000e1')" if by else "unhex('0000000000000000')",
        _text(publication.service),
        _text(publication.environment),
        _text(publication.task),
        _text(publication.queue),
        _text(publication.message_id),
        "NULL" if publication.eta_s is None else _time(now_ns, publication.eta_s, 3),
        "NULL" if publication.expires_s is None else _time(now_ns, publication.expires_s, 3),
        1,
    )
    return f"({', '.join(map(str, values))})"
