"""What people say of violations: acknowledge, ignore, resolve, reopen.

An action is written down; the evaluator applies it in its next tick. Until then whoever reads the
violation sees it applied already.
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path

from hotspan_collector.api.backend import CurrentBackend  # noqa: TC001 (read by FastAPI)
from hotspan_collector.api.models import (
    IgnoreAction,
    ViolationAction,
    ViolationDetail,
)
from hotspan_collector.api.periods import parse_time
from hotspan_collector.api.problems import BadParameterError, ConflictError
from hotspan_collector.api.violation_reader import find_violation, read_violation
from hotspan_collector.rules.actions import ALLOWED
from hotspan_collector.rules.violation import Ignoring
from hotspan_collector.rules.violation_table import ignoring_text
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from hotspan_collector.api.backend import Backend
    from hotspan_collector.rules.actions import ActionName

__all__ = ["router"]

router = APIRouter(tags=["violations"], prefix="/violations/{violation_id}")

_SQL = load_blocks(__package__ or "", "violations.sql")
_FROM_NOW = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

ViolationId = Annotated[
    str, Path(description="Its fingerprint", examples=["v1:8f14e45fceea167a5a36dedd4bea2543"])
]


@router.post("/acknowledge", summary="Somebody has taken it")
async def acknowledge(
    backend: CurrentBackend, violation_id: ViolationId, action: ViolationAction
) -> ViolationDetail:
    """Let its alerts rest until it is fixed or comes back."""
    return await backend.workers.run(_act, backend, violation_id, "acknowledge", action)


@router.post("/ignore", summary="Ignore it, for a while or for ever")
async def ignore(
    backend: CurrentBackend, violation_id: ViolationId, action: IgnoreAction
) -> ViolationDetail:
    """Take it out of the list until a condition is met."""
    return await backend.workers.run(_act, backend, violation_id, "ignore", action)


@router.post("/unignore", summary="Ignore it no more")
async def unignore(
    backend: CurrentBackend, violation_id: ViolationId, action: ViolationAction
) -> ViolationDetail:
    """Open it again."""
    return await backend.workers.run(_act, backend, violation_id, "unignore", action)


@router.post("/resolve", summary="Somebody says that it is fixed")
async def resolve(
    backend: CurrentBackend, violation_id: ViolationId, action: ViolationAction
) -> ViolationDetail:
    """Have it verified by the entries that begin from now on; a hit opens it again."""
    return await backend.workers.run(_act, backend, violation_id, "resolve", action)


@router.post("/reopen", summary="It is open after all")
async def reopen(
    backend: CurrentBackend, violation_id: ViolationId, action: ViolationAction
) -> ViolationDetail:
    """Take back an acknowledgement, a resolution or a proof."""
    return await backend.workers.run(_act, backend, violation_id, "reopen", action)


def _act(
    backend: Backend, violation_id: str, name: ActionName, action: ViolationAction
) -> ViolationDetail:
    known = find_violation(backend.database, violation_id)
    rule = backend.catalogue.rules.get(known.rule)
    if known.status not in ALLOWED[name]:
        raise ConflictError(
            f"This violation is {known.status.replace('_', ' ')}: {name} is for those that are "
            f"{', '.join(sorted(ALLOWED[name])).replace('_', ' ')}."
        )
    if name == "resolve" and rule is not None and rule.kind == "window":
        raise ConflictError(
            f"{known.rule} looks at many entries at once and resolves by itself when its "
            "condition holds no more."
        )
    backend.database.execute(
        _SQL["add_action"],
        {
            "id": uuid.uuid4().hex,
            "fingerprint": violation_id,
            "action": name,
            "by": action.by.strip(),
            "reason": action.reason.strip(),
            "ignoring": ignoring_text(_ignoring(action)),
        },
    )
    return read_violation(backend.database, backend.catalogue, violation_id)


def _ignoring(action: ViolationAction) -> Ignoring | None:
    if not isinstance(action, IgnoreAction):
        return None
    now = datetime.now(UTC)
    return Ignoring(
        at_ms=_milliseconds(now),
        until_ms=_milliseconds(_until(action.until, now=now)) if action.until else None,
        more_hits=action.more_hits,
        impact_factor=action.impact_factor,
        next_release=action.next_release,
    )


def _until(text: str, *, now: datetime) -> datetime:
    """Read a time to come, or how long it is until then."""
    ahead = _FROM_NOW.fullmatch(text.strip())
    moment = (
        now + timedelta(**{_UNITS[ahead[2]]: int(ahead[1])})
        if ahead
        else parse_time(text, name="until", now=now)
    )
    if moment <= now:
        raise BadParameterError(f"until = {text!r} lies in the past; give a time to come, or 7d.")
    return moment


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
