"""What is known of a statement by its text: its span has it, and so have thousands of others."""

from typing import TYPE_CHECKING, Any, Final

from opentelemetry.instrumentation._semconv import _set_db_name, _set_db_statement, _set_db_system
from opentelemetry.util.types import AttributeValue

from hotspan_instrumentation.attribute_group import AttributeGroup
from hotspan_instrumentation.sql_literals import mask_literals

if TYPE_CHECKING:
    from hotspan_instrumentation.call_site import KnownPlace

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


class Statement:
    """What is known of a statement by its text, and where it came from the last time.

    Attributes:
        operation: Its first word.
        text: The statement without its literals.
        literals: The values in it.
        is_query: Whether it is the application's, not the driver's or Django's own.
        group: What its spans say of it and of its database.
        place: The line of the application that made it the last time.

    """

    __slots__ = ("group", "is_query", "literals", "operation", "place", "text")

    def __init__(
        self, operation: str, text: str, literals: tuple[str, ...], group: AttributeGroup
    ) -> None:
        self.operation = operation
        self.text = text
        self.literals = literals
        self.is_query = is_query(text)
        self.group = group
        self.place: KnownPlace | None = None


def is_query(statement: str) -> bool:
    """Whether a statement is the application's, not the driver's or Django's own."""
    return not statement[:_NO_QUERY_CHARS].upper().startswith(_NO_QUERIES)


class _Template:
    """What the statements of a database have in common, and those that have been made."""

    __slots__ = ("fixed", "statements", "system", "text_names")

    def __init__(
        self, fixed: dict[str, AttributeValue], text_names: tuple[str, ...], system: str
    ) -> None:
        self.fixed = fixed
        self.text_names = text_names
        self.system = system
        self.statements: dict[str, Statement] = {}

    def analyse(self, tracer: Any, cursor: Any, arguments: tuple[Any, ...]) -> Statement:  # noqa: ANN401
        """Return what is known of a statement, found out now; and remember it."""
        masked = mask_literals(tracer.get_statement(cursor, arguments), database_system=self.system)
        operation = tracer.get_operation_name(cursor, arguments)
        group = AttributeGroup({**self.fixed, **dict.fromkeys(self.text_names, masked.text)})
        statement = Statement(operation, masked.text, masked.literals, group)
        given = arguments[0] if arguments else ""
        if type(given) is str and len(given) <= _MAX_REMEMBERED_CHARS:
            if len(self.statements) >= _MAX_REMEMBERED:
                self.statements.clear()
            self.statements[given] = statement
        return statement


# A process opens the same connections over and over, each with an integration of its own.
_MAX_TEMPLATES: Final = 100
_templates: dict[object, _Template] = {}


def statement_of(tracer: Any, cursor: Any, arguments: tuple[Any, ...]) -> Statement:  # noqa: ANN401
    """Return what is known of a statement."""
    template: _Template | None = tracer.__dict__.get(_TEMPLATE_FIELD)
    if template is None:
        template = tracer.__dict__[_TEMPLATE_FIELD] = _template_of(tracer)
    given = arguments[0] if arguments else ""
    known = template.statements.get(given) if type(given) is str else None
    return known or template.analyse(tracer, cursor, arguments)


def _template_of(tracer: Any) -> _Template:  # noqa: ANN401
    integration = tracer._db_api_integration  # noqa: SLF001 - the only way to it
    fixed = database_attributes(integration)
    texts: dict[str, AttributeValue] = {}
    _set_db_statement(texts, "", integration._sem_conv_opt_in_mode_db)  # noqa: SLF001 - likewise
    system = integration.database_system
    key = (type(tracer), system, tuple(texts), tuple(fixed.items()))
    template = _templates.get(key)
    if template is None:
        if len(_templates) >= _MAX_TEMPLATES:
            _templates.clear()
        template = _templates[key] = _Template(fixed, tuple(texts), system)
    return template


def database_attributes(integration: Any) -> dict[str, AttributeValue]:  # noqa: ANN401
    """Return what is the same for all statements of a connection."""
    mode = integration._sem_conv_opt_in_mode_db  # noqa: SLF001 - no public way
    attributes: dict[str, AttributeValue] = {}
    _set_db_system(attributes, integration.database_system, mode)
    _set_db_name(attributes, integration.database, mode)
    attributes.update(integration.span_attributes)
    return attributes
