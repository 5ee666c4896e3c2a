"""The catalogue of rules as the API tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter

from hotspan_collector.api.backend import CurrentBackend  # noqa: TC001 (read by FastAPI)
from hotspan_collector.api.models import Rule, Rules, RuleSetting

if TYPE_CHECKING:
    from pydantic import JsonValue

    from hotspan_collector.rules.catalogue import Catalogue

__all__ = ["router", "rule_info"]

router = APIRouter(tags=["rules"])


@router.get("/rules", summary="The rules that run")
async def rules(backend: CurrentBackend) -> Rules:
    """Return what each rule finds, and its settings with their values."""
    return Rules(rules=[rule_info(backend.catalogue, each) for each in backend.catalogue.rules])


def rule_info(catalogue: Catalogue, rule_id: str) -> Rule:
    """Return a rule; one that does not run any more has its id only."""
    rule = catalogue.rules.get(rule_id)
    if rule is None:
        return Rule(
            id=rule_id,
            title=rule_id,
            finds="This rule does not run: it is disabled, or this version does not have it.",
            why="",
            settings=[],
            needs=[],
            docs="",
        )
    return Rule(
        id=rule.id,
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
        docs=f"docs/rules/{rule.id}.md",
    )


def _json_value(value: object) -> JsonValue:
    return value if isinstance(value, str | int | float | bool) else str(value)
