"""psycopg2: its instrumentation makes classes of cursors, and opens connections in its own way.

A cursor on the server, as Django's `.iterator()` uses, does not say how many rows it has.
"""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from hotspan_instrumentation.integrations.database import showing_connect
from hotspan_instrumentation.settings import current_settings
from hotspan_instrumentation.traced_cursor import counting_class


def install(module: ModuleType) -> None:
    """Count the rows of cursors on the server, and make spans of connections."""
    settings = current_settings()
    if settings.database:
        module._new_cursor_factory = _counting(module._new_cursor_factory)  # type: ignore[attr-defined]  # noqa: SLF001 - its only name
    if settings.transactions:
        integration = module.DatabaseApiIntegration
        integration.wrapped_connection = showing_connect(integration.wrapped_connection)


def _counting(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def new_cursor_factory(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - upstream's
        return counting_class(original(*args, **kwargs))

    return new_cursor_factory


HOOKS: Final = (("opentelemetry.instrumentation.psycopg2", install),)
