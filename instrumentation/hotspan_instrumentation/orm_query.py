"""Which ORM query a statement belongs to, and which relation it follows.

A relation is noted on Django's `Query` when a descriptor or a related manager makes one. The note
is copied with the query by `filter()`, `count()` and the like, and read when the query is run,
which is when its user evaluates it and not before.
"""

from typing import Any, Final

from opentelemetry.util.types import AttributeValue

from hotspan_instrumentation.keyed_hash import (
    SOURCE_KEY,
    TARGET_KEY,
    UNCHANGING_KEYS,
    hash_of_key,
)

MODEL: Final = "hotspan.orm.model"
RELATION: Final = "hotspan.orm.relation"

_QUERY_FIELD: Final = "_hotspan_relation"

# A relation, in types that survive the pickling of a queryset: model walked from, name, its primary
# key, model walked to, the key there or None.
Relation = tuple[str, str, Any, str, Any]

# Where a connection of Django's, which is of one thread, has the query that is being executed.
QUERY_FIELD: Final = "_hotspan_query"


def note_relation(queryset: Any, relation: Relation) -> None:  # noqa: ANN401 - Django is untyped
    """Remember which relation a queryset follows."""
    # Not `queryset.query`: to ask for that would apply a filter that Django has deferred.
    setattr(queryset._query, _QUERY_FIELD, relation)  # noqa: SLF001 - see above


def relation_of(query: Any) -> Any:  # noqa: ANN401 - Django is untyped
    """Return the relation that a query follows, or what Django knows of its model; None without."""
    relation: Relation | None = query.__dict__.get(_QUERY_FIELD)
    if relation is None:
        inner = query.__dict__.get("inner_query")  # of count() over a subquery
        if inner is not None:
            relation = inner.__dict__.get(_QUERY_FIELD)
    if relation is None and query.model is not None:
        return query.model._meta  # noqa: SLF001 - Django's public name
    return relation


def may_be_kept(relation: Relation) -> bool:
    """Whether a relation may be put into words later: its keys cannot change."""
    return type(relation[2]) in UNCHANGING_KEYS and type(relation[4]) in UNCHANGING_KEYS


def attributes_of_relation(known: Any) -> dict[str, AttributeValue]:  # noqa: ANN401 - likewise
    """Return what `relation_of` has found, as attributes."""
    if type(known) is not tuple:
        return {MODEL: known.label}
    source_model, name, source_value, target_model, target_value = known
    attributes: dict[str, AttributeValue] = {MODEL: source_model, RELATION: name}
    source = hash_of_key(source_model, source_value)
    if source is not None:
        attributes[SOURCE_KEY] = source
    if target_value is not None:
        target = hash_of_key(target_model, target_value)
        if target is not None:
            attributes[TARGET_KEY] = target
    return attributes
