"""What is on the span of a statement, before it is executed."""

import contextlib
import weakref
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.instrumentation._semconv import _set_db_name, _set_db_statement, _set_db_system
from opentelemetry.semconv.attributes.db_attributes import DB_OPERATION_BATCH_SIZE
from opentelemetry.util.types import AttributeValue

from hotspan_instrumentation.keyed_hash import (
    PARAM_HASH,
    PARAM_HASHES,
    hash_of_values,
    hashes_of_values,
)
from hotspan_instrumentation.orm_query import add_orm_attributes
from hotspan_instrumentation.settings import current_settings
from hotspan_instrumentation.sql_literals import mask_literals

ALIAS: Final = "hotspan.db.alias"
IN_TRANSACTION: Final = "hotspan.db.in_transaction"
SAVEPOINTS: Final = "hotspan.db.savepoints"
# Where the integration of Django leaves its connection for us, on the driver's cursor.
DJANGO_CONNECTION_FIELD: Final = "_hotspan_django_connection"

# Where it leaves it for cursors that take no attributes: psycopg's server-side ones of Django 4.2.
connections_of_cursors: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()

_TEMPLATE_FIELD: Final = "_hotspan_template"

# Statements come back, thousands of times: what was found out about them is kept.
_MAX_REMEMBERED: Final = 2000
_MAX_REMEMBERED_CHARS: Final = 20_000

# What a driver or Django says on its own account is no query of the application's.
_NO_QUERIES: Final = (
    *("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA"),
    *("SELECT SET_CONFIG(", "SELECT VERSION(),", "SET SESSION TRANSACTION"),
    "SET SQL_AUTO_IS_NULL",
)
_NO_QUERY_CHARS: Final = max(map(len, _NO_QUERIES))

_PARAMETER_KEYWORDS: Final = ("params", "params_seq", "parameters", "args", "vars", "vars_list")


@dataclass(frozen=True, slots=True)
class Statement:
    """What is known of a statement by its text."""

    operation: str
    text: str
    literals: tuple[str, ...]
    is_query: bool


def is_query(statement: str) -> bool:
    """Whether a statement is the application's, not the driver's or Django's own."""
    return not statement[:_NO_QUERY_CHARS].upper().startswith(_NO_QUERIES)


def database_attributes(integration: Any) -> dict[str, AttributeValue]:  # noqa: ANN401
    """Return a copy of what is the same for all statements of a connection."""
    return template_of(integration)[0].copy()


_statements: dict[tuple[str, str, type], Statement] = {}


def statement_of(tracer: Any, cursor: Any, arguments: tuple[Any, ...], system: str) -> Statement:  # noqa: ANN401
    """Return what is known of a statement, found out at its first execution."""
    given = arguments[0] if arguments else ""
    if type(given) is not str or len(given) > _MAX_REMEMBERED_CHARS:
        return _analyse(tracer, cursor, arguments, system)
    key = (given, system, type(tracer))
    known = _statements.get(key)
    if known is None:
        if len(_statements) >= _MAX_REMEMBERED:
            _statements.clear()
        known = _statements[key] = _analyse(tracer, cursor, arguments, system)
    return known


def _analyse(tracer: Any, cursor: Any, arguments: tuple[Any, ...], system: str) -> Statement:  # noqa: ANN401
    masked = mask_literals(tracer.get_statement(cursor, arguments), database_system=system)
    operation = tracer.get_operation_name(cursor, arguments)
    return Statement(operation, masked.text, masked.literals, is_query(masked.text))


def template_of(integration: Any) -> tuple[dict[str, AttributeValue], tuple[str, ...]]:  # noqa: ANN401
    """Return the attributes of a connection's statements, and the names that their text has."""
    template: tuple[dict[str, AttributeValue], tuple[str, ...]] | None
    template = integration.__dict__.get(_TEMPLATE_FIELD)
    if template is None:
        mode = integration._sem_conv_opt_in_mode_db  # noqa: SLF001 - no public way
        attributes: dict[str, AttributeValue] = {}
        _set_db_system(attributes, integration.database_system, mode)
        _set_db_name(attributes, integration.database, mode)
        attributes.update(integration.span_attributes)
        texts: dict[str, AttributeValue] = {}
        _set_db_statement(texts, "", mode)
        template = attributes, tuple(texts)
        setattr(integration, _TEMPLATE_FIELD, template)
    return template


def add_parameters(
    attributes: dict[str, AttributeValue],
    arguments: tuple[Any, ...],
    keywords: dict[str, Any],
    literals: tuple[str, ...],
    *,
    many: bool,
) -> None:
    """Add what tells two executions of a statement apart, without their values."""
    parameters = arguments[1] if len(arguments) > 1 else None
    if parameters is None and keywords:
        given = (keywords[name] for name in _PARAMETER_KEYWORDS if name in keywords)
        parameters = next(given, None)
    if many:
        # A generator must not be consumed; and a batch of one is none, by the convention.
        if isinstance(parameters, (list, tuple)) and len(parameters) > 1:
            attributes[DB_OPERATION_BATCH_SIZE] = len(parameters)
        return
    hashed = hash_of_values(parameters, literals=literals)
    if hashed is None:
        return
    attributes[PARAM_HASH] = hashed
    if current_settings().param_hashes:
        hashes = hashes_of_values(parameters)
        if hashes is not None:
            attributes[PARAM_HASHES] = hashes


def add_django(attributes: dict[str, AttributeValue], cursor: Any, query: Any) -> None:  # noqa: ANN401
    """Add what Django knows of the connection, and of the ORM's query that the statement is of."""
    connection = getattr(cursor, DJANGO_CONNECTION_FIELD, None)
    if connection is None and connections_of_cursors:
        with contextlib.suppress(TypeError):  # it cannot be referred to weakly, and is not there
            connection = connections_of_cursors.get(cursor)
    if connection is not None:
        attributes[ALIAS] = connection.alias
        attributes[IN_TRANSACTION] = connection.in_atomic_block
        if connection.savepoint_ids:  # None for an inner `atomic` without a savepoint
            attributes[SAVEPOINTS] = sum(each is not None for each in connection.savepoint_ids)
        if query is not None:
            add_orm_attributes(attributes, query)
