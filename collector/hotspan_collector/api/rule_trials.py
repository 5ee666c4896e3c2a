"""Trying a rule over stored history: what it would have found, published nowhere.

Rule files are code: the API runs only what lies in the collector's own folder for them.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from hotspan_collector.api.backend import CurrentBackend  # noqa: TC001 (read by FastAPI)
from hotspan_collector.api.periods import parse_time
from hotspan_collector.api.problems import BadParameterError, ConflictError, NotFoundError
from hotspan_collector.api.rule_models import RuleTrial  # noqa: TC001 (read by FastAPI)
from hotspan_collector.errors import ConfigurationError
from hotspan_collector.rules.catalogue import parse_rule

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from hotspan_collector.database import Row
    from hotspan_collector.rules.rule import Rule
    from hotspan_collector.rules.trials import Trial
    from hotspan_collector.settings import Settings

__all__ = ["router"]

router = APIRouter(tags=["rules"])

_POLL_S = 0.2


@router.post("/rules/test", summary="Try a rule over stored history", response_model=None)
async def test_rule(backend: CurrentBackend, trial: RuleTrial) -> StreamingResponse:
    """Return JSON lines: how far it has come, again and again, and at last what it found."""
    if backend.trials is None or not backend.trials.accepting:
        raise ConflictError("This process evaluates no rules; ask the collector that does.")
    now = datetime.now(UTC)
    since = parse_time(trial.since, name="since", now=now)
    rule = await backend.workers.run(_read, backend.settings, trial.file)
    running = backend.trials.add(rule, since_ms=round(since.timestamp() * 1000))
    return StreamingResponse(_lines(running), media_type="application/x-ndjson")


def _read(settings: Settings, name: str) -> Rule:
    folder = settings.rules_dir
    if folder is None:
        raise ConflictError(
            "Set HOTSPAN_RULES_DIR: the collector runs only rule files of its own folder, and "
            "those of drafts/ in it by trials alone."
        )
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise BadParameterError(
            f"{path} is not in the collector's folder for rules: put it into {folder}/drafts/, "
            "from where it runs by trials alone."
        )
    if not path.is_file():
        raise NotFoundError(f"There is no file {path}.")
    try:
        text = path.read_text("utf-8")
        return parse_rule(text, source=str(path), values={}, origin=str(path))
    except (ConfigurationError, UnicodeDecodeError) as error:
        raise BadParameterError(str(error)) from error


async def _lines(trial: Trial) -> AsyncIterator[str]:
    try:
        while not trial.ended.is_set():
            yield _line(entries=trial.entries, entries_done=trial.entries_done)
            await asyncio.sleep(_POLL_S)
    finally:
        trial.cancelled = True
    yield _line(
        entries=trial.entries,
        entries_done=trial.entries_done,
        error=trial.error,
        found=trial.found,
        findings=[_finding(trial.rule, row) for row in trial.findings],
    )


def _line(**values: object) -> str:
    return json.dumps(values, ensure_ascii=False) + "\n"


def _finding(rule: Rule, row: Row) -> dict[str, object]:
    known = {
        "statement": row["statement"],
        "entry": row["entry_name"],
        "service": row["service"],
        **row["details"],
    }
    suggestion = row["suggestion"]
    return {
        "severity": row["severity"],
        "confidence": row["confidence"],
        "service": row["service"],
        "environment": row["environment"],
        "entry": row["entry_name"],
        "trace_id": row["trace_id"],
        "entry_span_id": row["entry_span_id"],
        "count": row["count"],
        "wasted_ms": row["wasted_ns"] / 1e6,
        "summary": rule.summarise(row["count"], row["wasted_ns"] / 1e6, known),
        "suggestion": rule.suggest(suggestion, known) if suggestion in rule.suggestions else "",
        "code": f"{row['code_file']}:{row['code_line']}" if row["code_file"] else "",
    }
