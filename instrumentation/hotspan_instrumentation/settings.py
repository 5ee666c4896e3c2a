"""The few settings that OpenTelemetry has no variable for, all read from the environment."""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

_logger = logging.getLogger(__name__)

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})

HASH_KEY_VARIABLE: Final = "HOTSPAN_HASH_KEY"


# They run as long as somebody works with them, or are servers, whose requests are the entries.
LASTING_COMMANDS: Final = (
    *("runserver", "runserver_plus", "testserver", "shell", "shell_plus", "dbshell", "test"),
    *("qcluster", "rqworker", "runworker", "db_worker", "process_tasks"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What may be changed about the spans that hotspan adds to, or leaves out."""

    call_site: bool = True
    application_packages: tuple[str, ...] = ()
    celery_bookkeeping: bool = False
    celery_tasks: bool = True
    task_flush_ms: int = 100
    client_calls: bool = True
    signals: bool = True
    signal_min_ms: int = 20
    url_values: bool = False
    commands: bool = True
    commands_left_out: tuple[str, ...] = LASTING_COMMANDS
    requests: bool = True
    users: bool = False
    middleware: bool = True
    middleware_min_ms: int = 5
    templates: bool = True
    template_span_min_ms: int = 20
    cache: bool = True
    cache_span_min_ms: int = 20
    database: bool = True
    param_hashes: bool = True
    orm: bool = True
    transactions: bool = True
    entries: bool = True
    query_spans_per_entry: int = 2000
    hash_key: str = ""
    flush_timeout_ms: int = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """An environment variable: the field it sets, how it is read, and what it is for."""

    name: str
    field: str
    parse: Callable[[str], object]
    doc: str


def _boolean(text: str) -> bool:
    value = text.lower()
    if value not in _TRUE | _FALSE:
        raise ValueError("use true or false")
    return value in _TRUE


def _whole_number(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError("use 0 or more")
    return value


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


VARIABLES = (
    Variable(
        name="HOTSPAN_CALL_SITE",
        field="call_site",
        parse=_boolean,
        doc="Record the file, line and function that made a database, HTTP or Redis call.",
    ),
    Variable(
        name="HOTSPAN_APPLICATION_PACKAGES",
        field="application_packages",
        parse=_names,
        doc="Packages that are your application although they are installed in site-packages, "
        "separated by commas.",
    ),
    Variable(
        name="HOTSPAN_CELERY_BOOKKEEPING",
        field="celery_bookkeeping",
        parse=_boolean,
        doc="Export the Celery worker's own calls to its broker and result backend "
        "as traces of their own.",
    ),
    Variable(
        name="HOTSPAN_CELERY_TASKS",
        field="celery_tasks",
        parse=_boolean,
        doc="Record how tasks waited, retried and ended, also those whose process was killed.",
    ),
    Variable(
        name="HOTSPAN_TASK_FLUSH_MS",
        field="task_flush_ms",
        parse=_whole_number,
        doc="A prefork child sends its spans at the end of each task, but not more often than "
        "this, in milliseconds: what a child that is killed had not sent is lost. 0 leaves it to "
        "`OTEL_BSP_SCHEDULE_DELAY`.",
    ),
    Variable(
        name="HOTSPAN_DATABASE",
        field="database",
        parse=_boolean,
        doc="Record of each statement its parameters' hash, rows, alias and transaction, mask the "
        "literals in it, and show server-side cursors.",
    ),
    Variable(
        name="HOTSPAN_PARAM_HASHES",
        field="param_hashes",
        parse=_boolean,
        doc="Record a hash of each of a statement's first eight parameters, where it has several. "
        "By these a query for each pair of two lists is told for certain.",
    ),
    Variable(
        name="HOTSPAN_ORM",
        field="orm",
        parse=_boolean,
        doc="Record which model a statement is about, and which relation made it necessary.",
    ),
    Variable(
        name="HOTSPAN_TRANSACTIONS",
        field="transactions",
        parse=_boolean,
        doc="Make spans of transactions and of connections that are opened.",
    ),
    Variable(
        name="HOTSPAN_ENTRIES",
        field="entries",
        parse=_boolean,
        doc="Tell each span which request, task or command it belongs to, and count there.",
    ),
    Variable(
        name="HOTSPAN_QUERY_SPANS_PER_ENTRY",
        field="query_spans_per_entry",
        parse=_whole_number,
        doc="How many statements of one request, task or command have spans; those beyond are "
        "counted. 0 is no limit.",
    ),
    Variable(
        name=HASH_KEY_VARIABLE,
        field="hash_key",
        parse=str,
        doc="The secret key of all hashes, the same in all processes of a system. Without it a "
        "random one is made, and shared with child processes.",
    ),
    Variable(
        name="HOTSPAN_CLIENT_CALLS",
        field="client_calls",
        parse=_boolean,
        doc="Record of each call to another service its timeout, its retries, and whether it is "
        "made in a transaction or a signal; show what is sent by SMTP.",
    ),
    Variable(
        name="HOTSPAN_SIGNALS",
        field="signals",
        parse=_boolean,
        doc="Record which receivers of Django's signals are slow, or make queries or calls.",
    ),
    Variable(
        name="HOTSPAN_SIGNAL_MIN_MS",
        field="signal_min_ms",
        parse=_whole_number,
        doc="From how long on the receivers of a signal are worth a word, in milliseconds.",
    ),
    Variable(
        name="HOTSPAN_URL_VALUES",
        field="url_values",
        parse=_boolean,
        doc="Send URLs with the credentials and the values of queries in them.",
    ),
    Variable(
        name="HOTSPAN_COMMANDS",
        field="commands",
        parse=_boolean,
        doc="Make a span of each management command, to which its statements and calls belong.",
    ),
    Variable(
        name="HOTSPAN_COMMANDS_LEFT_OUT",
        field="commands_left_out",
        parse=_names,
        doc="Management commands that have no span, because they are servers or last for hours, "
        "separated by commas.",
    ),
    Variable(
        name="HOTSPAN_REQUESTS",
        field="requests",
        parse=_boolean,
        doc="Record of each request its view, the size and encoding of its response, DEBUG and "
        "duplicate middleware; follow streaming bodies; take no 404 for an error.",
    ),
    Variable(
        name="HOTSPAN_USERS",
        field="users",
        parse=_boolean,
        doc="Record of each request a keyed hash of the user who has signed in, where it is known "
        "without a query.",
    ),
    Variable(
        name="HOTSPAN_MIDDLEWARE",
        field="middleware",
        parse=_boolean,
        doc="Measure each middleware's own time.",
    ),
    Variable(
        name="HOTSPAN_MIDDLEWARE_MIN_MS",
        field="middleware_min_ms",
        parse=_whole_number,
        doc="From how long on a middleware's own time is recorded, in milliseconds.",
    ),
    Variable(
        name="HOTSPAN_TEMPLATES",
        field="templates",
        parse=_boolean,
        doc="Count Django's templates, also Jinja's, and the time of their rendering.",
    ),
    Variable(
        name="HOTSPAN_TEMPLATE_SPAN_MIN_MS",
        field="template_span_min_ms",
        parse=_whole_number,
        doc="From how long on the rendering of a template has a span of its own, in milliseconds.",
    ),
    Variable(
        name="HOTSPAN_CACHE",
        field="cache",
        parse=_boolean,
        doc="Count hits and misses of Django's caches.",
    ),
    Variable(
        name="HOTSPAN_CACHE_SPAN_MIN_MS",
        field="cache_span_min_ms",
        parse=_whole_number,
        doc="From how long on a cache operation has a span of its own, in milliseconds.",
    ),
    Variable(
        name="HOTSPAN_FLUSH_TIMEOUT_MS",
        field="flush_timeout_ms",
        parse=_whole_number,
        doc="How long an ending process may wait for its last spans to be sent. "
        "A collector that is down does not hold it longer.",
    ),
)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read the variables; one that cannot be understood is logged, and its default holds."""
    values: dict[str, object] = {}
    for variable in VARIABLES:
        text = environment.get(variable.name, "").strip()
        if not text:
            continue
        try:
            values[variable.field] = variable.parse(text)
        except ValueError as error:
            _logger.warning(
                "%s=%r is not understood (%s); the default is used", variable.name, text, error
            )
    return Settings(**values)  # type: ignore[arg-type]  # each parser returns its field's type


_chosen: Settings | None = None


def use_settings(settings: Settings) -> None:
    """Use these settings in this process, whatever the variables say."""
    global _chosen  # noqa: PLW0603 - a fact about the process
    _chosen = settings
    if settings.hash_key:
        os.environ[HASH_KEY_VARIABLE] = settings.hash_key  # for child processes, too
    current_settings.cache_clear()


@cache
def current_settings() -> Settings:
    """Return the settings of this process, read once."""
    return _chosen or read_settings(os.environ)
