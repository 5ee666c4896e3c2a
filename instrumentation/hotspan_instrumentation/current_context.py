"""OpenTelemetry's current context, by the shortest way: each statement goes there three times.

The API's functions call the runtime's, which calls a context variable's. Another runtime than the
API's own (OTEL_PYTHON_CONTEXT) is asked through the API.
"""

from collections.abc import Callable
from contextvars import Token
from typing import Any, Final

from opentelemetry import context
from opentelemetry.context import Context
from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext

_runtime: Any = context._RUNTIME_CONTEXT  # noqa: SLF001 - there is no public way
_variable: Any = (
    getattr(_runtime, "_current_context", None)
    if type(_runtime) is ContextVarsRuntimeContext
    else None
)

get_current: Final[Callable[[], Context]] = _variable.get if _variable else context.get_current
attach: Final[Callable[[Context], Token[Context]]] = _variable.set if _variable else context.attach
detach: Final[Callable[[Token[Context]], None]] = _variable.reset if _variable else context.detach
