"""The catalogue of rules as the API tells it: words, values in force, and how each rule does."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path

from hotspan_collector.api.backend import CurrentBackend  # noqa: TC001 (read by FastAPI)
from hotspan_collector.api.problems import BadParameterError, NotFoundError
from hotspan_collector.api.rule_models import (
    Rule,
    RuleOverride,
    RuleRun,
    Rules,
    RuleScope,
    RuleSetting,
)
from hotspan_collector.api.times import from_milliseconds
from hotspan_collector.errors import ConfigurationError
from hotspan_collector.rules.rule_runs import CANARY
from hotspan_collector.rules.scopes import CONDITIONS, parse_scope
from hotspan_collector.sql import load_blocks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

    from hotspan_collector.api.backend import Backend
    from hotspan_collector.database import Database
    from hotspan_collector.rules.catalogue import Catalogue
    from hotspan_collector.rules.scopes import Scope

__all__ = ["router", "rule_info"]

router = APIRouter(tags=["rules"])

_SQL = load_blocks(__package__ or "", "rules.sql")

RuleId = Annotated[str, Path(description="Id of a rule", examples=["n_plus_one"])]


@router.get("/rules", summary="The rules that run")
async def rules(backend: CurrentBackend) -> Rules:
    """Return what each rule finds, its values in force, and how it did when it last ran."""
    return await backend.workers.run(_rules, backend)


@router.get("/rules/{rule_id}", summary="One rule")
async def rule(backend: CurrentBackend, rule_id: RuleId) -> Rule:
    """Return what a rule finds, its values in force, and how it did when it last ran."""
    return await backend.workers.run(_rule, backend, rule_id)


@router.post("/rules/{rule_id}/overrides", summary="Set values of a rule, everywhere or somewhere")
async def set_override(
    backend: CurrentBackend, rule_id: RuleId, override: RuleOverride
) -> RuleScope:
    """Set values that win over the settings file's of the same place."""
    return await backend.workers.run(_set_override, backend, rule_id, override)


@router.delete("/rules/{rule_id}/overrides/{override_id}", summary="Take back what was set")
async def remove_override(
    backend: CurrentBackend,
    rule_id: RuleId,
    override_id: Annotated[str, Path(description="`id` of one of the rule's `scopes`")],
) -> Rule:
    """Let what was in force before be in force again."""
    return await backend.workers.run(_remove_override, backend, rule_id, override_id)


def rule_info(catalogue: Catalogue, rule_id: str, run: RuleRun | None = None) -> Rule:
    """Return a rule; one that does not run any more has its id only."""
    rule = catalogue.rules.get(rule_id)
    if rule is None:
        return Rule(
            id=rule_id,
            state="disabled",
            title=rule_id,
            finds="This rule does not run: it is disabled, or this version does not have it.",
            why="",
            settings=[],
            needs=[],
            docs="",
        )
    return Rule(
        id=rule.id,
        kind=rule.kind,
        origin=rule.origin,
        state="not_run" if run is None else "failing" if run.error else "ok",
        last_run=run,
        scopes=[_scope(each) for each in rule.scopes],
        title=rule.title,
        finds=rule.finds,
        why=" ".join(rule.why.split()),
        settings=[
            RuleSetting(
                name=setting.name,
                type=setting.type,
                default=setting.default,
                value=_json_value(rule.values[name]),
                unit=setting.unit,
                reason=setting.reason,
            )
            for name, setting in rule.settings.items()
        ],
        needs=list(rule.needs),
        docs="" if rule.origin else f"docs/rules/{rule.id}.md",
    )


def _rules(backend: Backend) -> Rules:
    catalogue, runs = backend.catalogue, _runs(backend.database)
    return Rules(
        rules=[rule_info(catalogue, each, runs.get(each)) for each in catalogue.rules],
        canary=runs.get(CANARY),
        problems=list(catalogue.problems),
    )


def _rule(backend: Backend, rule_id: str) -> Rule:
    _find(backend, rule_id)
    return rule_info(backend.catalogue, rule_id, _runs(backend.database).get(rule_id))


def _set_override(backend: Backend, rule_id: str, override: RuleOverride) -> RuleScope:
    _find(backend, rule_id)
    given = override.model_dump()
    conditions = {name: given[name] for name in CONDITIONS if given[name]}
    table = {**conditions, **override.values}
    known = backend.catalogue.rules[rule_id]
    if set(override.values) & set(CONDITIONS):
        raise BadParameterError("values hold settings; conditions stand beside them.")
    try:
        scope = parse_scope(rule_id, known.settings, table)
    except ConfigurationError as error:
        raise BadParameterError(str(error)) from error
    override_id = uuid.uuid4().hex[:12]
    backend.database.execute(
        _SQL["set_override"],
        {
            "id": override_id,
            "rule": rule_id,
            "scope": json.dumps(table),
            "by": override.by.strip(),
            "reason": override.reason.strip(),
        },
    )
    told = _scope(scope)
    return told.model_copy(
        update={"id": override_id, "by": override.by.strip(), "reason": override.reason.strip()}
    )


def _remove_override(backend: Backend, rule_id: str, override_id: str) -> Rule:
    parameters = {"id": override_id, "rule": rule_id}
    if not backend.database.rows(_SQL["override"], parameters):
        raise NotFoundError(
            f"The rule {rule_id} has no override {override_id}; GET /api/v1/rules/{rule_id} lists "
            "them as scopes with an id."
        )
    backend.database.execute(_SQL["remove_override"], parameters)
    return _rule(backend, rule_id)


def _find(backend: Backend, rule_id: str) -> None:
    if rule_id not in backend.catalogue.rules:
        raise NotFoundError(f"There is no rule {rule_id}. /api/v1/rules lists what there is.")


def _runs(database: Database) -> Mapping[str, RuleRun]:
    return {
        row["rule"]: RuleRun(
            at=from_milliseconds(row["ran_at_ms"]),
            duration_ms=row["duration_ms"],
            entries=row["entries"],
            failures=row["failures"],
            error=row["error"],
        )
        for row in database.rows(_SQL["runs"])
    }


def _scope(scope: Scope) -> RuleScope:
    known = asdict(scope)
    return RuleScope(
        **{**known, "values": {name: _json_value(each) for name, each in scope.values.items()}}
    )


def _json_value(value: object) -> JsonValue:
    return value if isinstance(value, str | int | float | bool) else str(value)
