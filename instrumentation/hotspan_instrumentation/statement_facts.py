"""What is known of one execution of a statement; made into attributes only when somebody asks.

A page makes hundreds of statements, and while it is made each microsecond is its user's. So what
is cheap to note is noted, and put into words by the exporter's thread, where most of it has been
put into words before.
"""

import contextlib
import weakref
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.semconv.attributes.db_attributes import DB_OPERATION_BATCH_SIZE
from opentelemetry.util.types import AttributeValue

from hotspan_instrumentation.attribute_group import AttributeGroup
from hotspan_instrumentation.keyed_hash import (
    MAX_PARAM_HASHES,
    PARAM_HASH,
    PARAM_HASHES,
    hash_of_values,
    hashes_of_values,
    is_usual,
)
from hotspan_instrumentation.orm_query import (
    QUERY_FIELD,
    attributes_of_relation,
    may_be_kept,
    relation_of,
)
from hotspan_instrumentation.settings import current_settings
from hotspan_instrumentation.statement_attributes import Statement

if TYPE_CHECKING:
    from hotspan_instrumentation.call_site import CallSite
    from hotspan_instrumentation.entry import Entry

ALIAS: Final = "hotspan.db.alias"
IN_TRANSACTION: Final = "hotspan.db.in_transaction"
SAVEPOINTS: Final = "hotspan.db.savepoints"
RETURNED_ROWS: Final = "db.response.returned_rows"

# Where the integration of Django leaves its connection for us: on the driver's cursor, or on a
# proxy of it, which keeps for itself what is named so.
DJANGO_CONNECTION_FIELD: Final = "_self_hotspan_django_connection"
# Where it leaves it for cursors that take no attributes: psycopg's server-side ones of Django 4.2.
connections_of_cursors: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()

_PARAMETER_KEYWORDS: Final = ("params", "params_seq", "parameters", "args", "vars", "vars_list")

# Nested loops, and the next request, come by the same values again and again.
_MAX_REMEMBERED: Final = 4096
_groups: dict[object, AttributeGroup] = {}

Attributes = dict[str, AttributeValue]


class StatementFacts:
    """One execution of a statement.

    Attributes:
        statement: What is known of it by its text.
        parameters: Its parameters, if they are few and such as cannot change.
        more: Attributes that only some have.
        alias: Django's name of the connection, or None.
        in_transaction: Whether that is inside `atomic`.
        orm: The relation that Django's ORM follows with it, or what it knows of the model.
        entry: The request, task or command that it belongs to.
        site: The line of the application that made it.
        rows: How many rows it returned, once that is known.

    """

    __slots__ = (
        *("alias", "entry", "in_transaction", "more", "orm", "parameters", "rows", "site"),
        "statement",
    )

    def __init__(self, statement: Statement, more: Attributes | None = None) -> None:
        self.statement = statement
        self.more = more
        self.parameters: tuple[Any, ...] | None = None
        self.alias: str | None = None
        self.in_transaction = False
        self.orm: object = None
        self.entry: Entry | None = None
        self.site: CallSite | None = None
        self.rows: int | None = None

    def add(self, attributes: Attributes) -> None:
        """Add attributes that only some statements have."""
        if self.more is None:
            self.more = {}
        self.more.update(attributes)

    def note_parameters(
        self, arguments: tuple[Any, ...], keywords: dict[str, Any], *, many: bool
    ) -> None:
        """Note what tells two executions of a statement apart, without looking at its values."""
        parameters = arguments[1] if len(arguments) > 1 else None
        if parameters is None and keywords:
            given = (keywords[name] for name in _PARAMETER_KEYWORDS if name in keywords)
            parameters = next(given, None)
        if many:
            # A generator must not be consumed; and a batch of one is none, by the convention.
            if isinstance(parameters, (list, tuple)) and len(parameters) > 1:
                self.add({DB_OPERATION_BATCH_SIZE: len(parameters)})
        elif not parameters:
            self.parameters = ()
        elif type(parameters) in _SEQUENCES and len(parameters) <= MAX_PARAM_HASHES:
            for value in parameters:
                if type(value) is not int and not is_usual(value):
                    self.add(_hashes(parameters, self.statement.literals))
                    return
            self.parameters = tuple(parameters)
        else:
            self.add(_hashes(parameters, self.statement.literals))

    def note_django(self, cursor: Any, proxy: Any) -> None:  # noqa: ANN401 - any driver's
        """Note what Django knows of the connection, and of its ORM's query."""
        connection = getattr(cursor if proxy is None else proxy, DJANGO_CONNECTION_FIELD, None)
        if connection is None:
            if not connections_of_cursors:
                return
            with contextlib.suppress(TypeError):  # it cannot be referred to weakly: not there
                connection = connections_of_cursors.get(cursor)
            if connection is None:
                return
        self.alias = connection.alias
        self.in_transaction = connection.in_atomic_block
        if connection.savepoint_ids:  # None for an inner `atomic` without a savepoint
            self.add({SAVEPOINTS: sum(each is not None for each in connection.savepoint_ids)})
        query = connection.__dict__.get(QUERY_FIELD)
        if query is not None:
            known = relation_of(query)
            if type(known) is not tuple or may_be_kept(known):
                self.orm = known
            else:
                self.add(attributes_of_relation(known))

    def groups(self) -> list[AttributeGroup]:
        """Return all that is known but the rows, in the order in which it is told."""
        found = [self.statement.group]
        if self.more is not None:
            found.append(AttributeGroup(self.more))
        if self.parameters is not None:
            given = (self.parameters, self.statement.literals, current_settings().param_hashes)
            found.append(_groups.get(given) or _remember(given, _hashes(*given[:2])))
        if self.alias is not None:
            place = (self.alias, self.in_transaction)
            found.append(
                _groups.get(place)
                or _remember(place, {ALIAS: self.alias, IN_TRANSACTION: self.in_transaction})
            )
        if self.orm is not None:
            known = _groups.get(self.orm)
            found.append(known or _remember(self.orm, attributes_of_relation(self.orm)))
        if self.entry is not None:
            found.append(self.entry.group)
        if self.site is not None:
            found.append(self.site.group)
        return found

    def attributes(self) -> Attributes:
        """Return the attributes of its span."""
        found: Attributes = {}
        for group in self.groups():
            found.update(group.attributes)
        if self.rows is not None:
            found[RETURNED_ROWS] = self.rows
        return found


_SEQUENCES: Final = frozenset({tuple, list})


def _remember(key: object, attributes: Attributes) -> AttributeGroup:
    if len(_groups) >= _MAX_REMEMBERED:
        _groups.clear()
    group = _groups[key] = AttributeGroup(attributes)
    return group


def _hashes(parameters: object, literals: tuple[str, ...]) -> Attributes:
    hashed = hash_of_values(parameters, literals=literals)
    if hashed is None:
        return {}
    found: Attributes = {PARAM_HASH: hashed}
    if current_settings().param_hashes:
        hashes = hashes_of_values(parameters)
        if hashes is not None:
            found[PARAM_HASHES] = hashes
    return found
