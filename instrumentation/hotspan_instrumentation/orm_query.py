"""Which ORM query a statement belongs to, and which relation it follows.

A relation is noted on Django's `Query` when a descriptor or a related manager makes one. The note
is copied with the query by `filter()`, `count()` and the like, and read when the query is run,
which is when its user evaluates it and not before.
"""

import contextvars
from types import FrameType
from typing import Any, Final

from opentelemetry.util.types import AttributeValue

from hotspan_instrumentation.keyed_hash import SOURCE_KEY, TARGET_KEY, hash_of_key

MODEL: Final = "hotspan.orm.model"
RELATION: Final = "hotspan.orm.relation"

_QUERY_FIELD: Final = "_hotspan_relation"

# A relation, in types that survive the pickling of a queryset: model walked from, name, its primary
# key, model walked to, the key there or None.
Relation = tuple[str, str, Any, str, Any]

# The query whose statements are being executed, and the frame that has asked for them: what lies
# between that one and the driver is Django's.
running_query: contextvars.ContextVar[tuple[Any, FrameType] | None] = contextvars.ContextVar(
    "hotspan_running_query", default=None
)


def note_relation(queryset: Any, relation: Relation) -> None:  # noqa: ANN401 - Django is untyped
    """Remember which relation a queryset follows."""
    # Not `queryset.query`: to ask for that would apply a filter that Django has deferred.
    setattr(queryset._query, _QUERY_FIELD, relation)  # noqa: SLF001 - see above


def add_orm_attributes(attributes: dict[str, AttributeValue], query: Any) -> None:  # noqa: ANN401
    """Add what the running ORM query says about its statement."""
    relation = _relation_of(query)
    if relation is None:
        if query.model is not None:
            attributes[MODEL] = query.model._meta.label  # noqa: SLF001 - Django's public name
        return
    source_model, name, source_value, target_model, target_value = relation
    attributes[MODEL] = source_model
    attributes[RELATION] = name
    source = hash_of_key(source_model, source_value)
    if source is not None:
        attributes[SOURCE_KEY] = source
    if target_value is not None:
        target = hash_of_key(target_model, target_value)
        if target is not None:
            attributes[TARGET_KEY] = target


def _relation_of(query: Any) -> Relation | None:  # noqa: ANN401 - Django is untyped
    relation: Relation | None = query.__dict__.get(_QUERY_FIELD)
    if relation is None:
        inner = query.__dict__.get("inner_query")  # of count() over a subquery
        if inner is not None:
            relation = inner.__dict__.get(_QUERY_FIELD)
    return relation
