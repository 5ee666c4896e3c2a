"""Django's ORM: which model a statement is about, and which relation made it necessary.

An N+1 is told from a duplicate by the objects that were walked from, and its remedy is the name of
the relation. Neither is in the SQL.
"""

import functools
from collections.abc import Callable
from typing import Any, Final

from hotspan_instrumentation.guard import guarded, report_failure
from hotspan_instrumentation.orm_query import QUERY_FIELD, Relation, note_relation
from hotspan_instrumentation.settings import current_settings

_MAX_REMEMBERED: Final = 2000
_COMPILERS: Final = ("SQLCompiler", "SQLInsertCompiler", "SQLUpdateCompiler")


def install_compiler(module: Any) -> None:  # noqa: ANN401 - a module
    """Know the ORM query while its statements are executed."""
    if not current_settings().orm:
        return
    for name in _COMPILERS:
        compiler = getattr(module, name)
        compiler.execute_sql = _noting_query(compiler.execute_sql)


def install_connect(module: Any) -> None:  # noqa: ANN401 - a module
    """Know that what is said to a new connection is not the query's that needed it."""
    if not current_settings().orm:
        return
    connection = module.BaseDatabaseWrapper
    connection.connect = _outside_of_queries(connection.connect)


def install_descriptors(module: Any) -> None:  # noqa: ANN401 - a module
    """Note the relation on the queries of descriptors and related managers."""
    if not current_settings().orm:
        return
    forward, reverse = module.ForwardManyToOneDescriptor, module.ReverseOneToOneDescriptor
    forward.get_queryset = _noting_relation(forward.get_queryset, _forward_relation)
    reverse.get_queryset = _noting_relation(reverse.get_queryset, _reverse_relation)
    module.create_reverse_many_to_one_manager = _noting_in_managers(
        module.create_reverse_many_to_one_manager, _reverse_manager_relation
    )
    module.create_forward_many_to_many_manager = _noting_in_managers(
        module.create_forward_many_to_many_manager, _many_to_many_relation
    )


def install_generic(module: Any) -> None:  # noqa: ANN401 - likewise
    """Do so for the managers of generic relations."""
    if not current_settings().orm:
        return
    module.create_generic_related_manager = _noting_in_managers(
        module.create_generic_related_manager, _generic_relation
    )


def _noting_query(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def execute_sql(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - Django's own signature
        connection = self.connection.__dict__
        outer = connection.get(QUERY_FIELD)
        connection[QUERY_FIELD] = self.query
        try:
            return original(self, *args, **kwargs)
        finally:
            connection[QUERY_FIELD] = outer

    return execute_sql


def _outside_of_queries(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def connect(self: Any) -> Any:  # noqa: ANN401 - Django's own signature
        connection = self.__dict__
        outer = connection.get(QUERY_FIELD)
        connection[QUERY_FIELD] = None
        try:
            return original(self)
        finally:
            connection[QUERY_FIELD] = outer

    return connect


def _noting_relation(
    original: Callable[..., Any], relation_of: Callable[[Any, Any], Relation]
) -> Callable[..., Any]:
    name = f"{__name__}.{relation_of.__name__}"

    @functools.wraps(original)
    def get_queryset(self: Any, **hints: Any) -> Any:  # noqa: ANN401 - Django's own signature
        queryset = original(self, **hints)
        instance = hints.get("instance")  # absent when many instances prefetch together
        if instance is not None:
            try:
                note_relation(queryset, relation_of(self, instance))
            except Exception:  # noqa: BLE001 - a guard without a call more
                report_failure(name)
        return queryset

    return get_queryset


def _noting_in_managers(
    create_manager: Callable[..., Any], relation_of: Callable[[Any, Any], Relation]
) -> Callable[..., Any]:
    """Wrap a function that makes a class of managers for the relation it is given."""

    @functools.wraps(create_manager)
    def create(superclass: Any, rel: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        manager_class = create_manager(superclass, rel, *args, **kwargs)
        wrap(manager_class, rel)
        return manager_class

    @guarded
    def wrap(manager_class: Any, rel: Any) -> None:  # noqa: ANN401
        original = manager_class._apply_rel_filters  # noqa: SLF001 - its only name

        @functools.wraps(original)
        def apply_rel_filters(self: Any, queryset: Any) -> Any:  # noqa: ANN401
            queryset = original(self, queryset)
            note(self, queryset, rel)
            return queryset

        manager_class._apply_rel_filters = apply_rel_filters  # noqa: SLF001 - likewise
        # Many-to-many managers count in the table between, by a queryset of its own.
        between = manager_class.__dict__.get("constrained_target")
        if isinstance(between, property) and between.fget is not None:
            manager_class.constrained_target = property(noting_between(between.fget, rel))

    def noting_between(original: Callable[..., Any], rel: Any) -> Callable[..., Any]:  # noqa: ANN401
        @functools.wraps(original)
        def constrained_target(self: Any) -> Any:  # noqa: ANN401 - Django's own
            queryset = original(self)
            if queryset is not None:
                note(self, queryset, rel)
            return queryset

        return constrained_target

    @guarded
    def note(manager: Any, queryset: Any, rel: Any) -> None:  # noqa: ANN401
        note_relation(queryset, relation_of(manager, rel))

    return create


def _forward_relation(descriptor: Any, instance: Any) -> Relation:  # noqa: ANN401
    kind: Any = type(instance)
    model, key_name, name, target, target_name = _forward_walk(descriptor, kind)
    values = instance.__dict__
    key = values.get(key_name) if key_name else _identity(instance)[1]
    # From the instance's dictionary: a deferred key would be loaded by asking for it.
    return model, name, key, target, values.get(target_name)


@functools.lru_cache(maxsize=_MAX_REMEMBERED)
def _forward_walk(descriptor: Any, model: Any) -> tuple[str, str, str, str, str]:  # noqa: ANN401
    """Return what all relations by a descriptor have in common, and where their keys are."""
    field = descriptor.field
    target = field.remote_field.model._meta.concrete_model._meta.label  # noqa: SLF001
    (related_field, *_) = field.foreign_related_fields
    if not related_field.primary_key:
        target = f"{target}.{related_field.name}"
    meta = model._meta.concrete_model._meta  # noqa: SLF001 - Django's public name
    parts = _key_parts(meta)
    key_name = parts[0].attname if len(parts) == 1 else ""
    return meta.label, key_name, field.name, target, field.attname


def _reverse_relation(descriptor: Any, instance: Any) -> Relation:  # noqa: ANN401
    return _walk(instance, descriptor.related.get_accessor_name())


def _reverse_manager_relation(manager: Any, rel: Any) -> Relation:  # noqa: ANN401
    # A relation of the user's own making may have no accessor; it has a field then.
    name = rel.get_accessor_name() if hasattr(rel, "get_accessor_name") else rel.name
    return _walk(manager.instance, name)


def _many_to_many_relation(manager: Any, rel: Any) -> Relation:  # noqa: ANN401
    name = rel.get_accessor_name() if manager.reverse else rel.field.name
    return _walk(manager.instance, name)


def _generic_relation(manager: Any, rel: Any) -> Relation:  # noqa: ANN401
    return _walk(manager.instance, rel.field.name)


def _walk(instance: Any, name: str) -> Relation:  # noqa: ANN401
    """Return a relation to any number of objects, whose keys are not known."""
    model, key = _identity(instance)
    return model, name, key, "", None


def _identity(instance: Any) -> tuple[str, Any]:  # noqa: ANN401
    """Return the model and primary key of an instance, without asking the database for it."""
    meta = instance._meta.concrete_model._meta  # noqa: SLF001 - Django's public name
    values = instance.__dict__
    parts = _key_parts(meta)
    if len(parts) == 1:
        return meta.label, values.get(parts[0].attname)
    return meta.label, tuple(values.get(part.attname) for part in parts)


def _key_parts(meta: Any) -> Any:  # noqa: ANN401
    return getattr(meta, "pk_fields", None) or [meta.pk]  # several: a composite key


HOOKS: Final = (
    ("django.db.backends.base.base", install_connect),
    ("django.db.models.sql.compiler", install_compiler),
    ("django.db.models.fields.related_descriptors", install_descriptors),
    ("django.contrib.contenttypes.fields", install_generic),
)
