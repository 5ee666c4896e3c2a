"""Django on SQLite with DEBUG: each statement with parameters is followed by `SELECT QUOTE(?)`.

Django asks that for its own query log. With spans of their own, these would double a page's
statements, and look like an N+1 that is nobody's.
"""

import functools
from types import ModuleType
from typing import Any, Final

from opentelemetry.instrumentation.utils import suppress_instrumentation

MODULE: Final = "django.db.backends.sqlite3.operations"


def install(module: ModuleType) -> None:
    """Make no spans of the statements behind the query log."""
    operations = module.DatabaseOperations
    original = operations._quote_params_for_last_executed_query  # noqa: SLF001 - its only name

    @functools.wraps(original)
    def quote(self: Any, params: Any) -> Any:  # noqa: ANN401 - Django's own signature
        with suppress_instrumentation():
            return original(self, params)

    operations._quote_params_for_last_executed_query = quote  # noqa: SLF001 - likewise
