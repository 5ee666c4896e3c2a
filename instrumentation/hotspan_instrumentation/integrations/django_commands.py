"""Django's management commands: an entry each, like a request or a task.

Without a span of the command, each of its statements is a trace of its own, and a loop over rows
cannot be seen.
"""

import functools
from types import ModuleType
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import attach, detach
from opentelemetry.trace import Span, StatusCode

from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.settings import current_settings

MODULE: Final = "django.core.management.base"

COMMAND: Final = "hotspan.django.command"

_SCOPE: Final = "hotspan_instrumentation.commands"


def install(module: ModuleType) -> None:
    """Wrap the execution of commands."""
    if not current_settings().commands:
        return
    original = module.BaseCommand.execute

    @functools.wraps(original)
    def execute(self: Any, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - Django's signature
        command = _begin(self)
        try:
            result = original(self, *args, **options)
        except BaseException as error:
            _end(command, error)
            raise
        _end(command, None)
        return result

    module.BaseCommand.execute = execute


@guarded
def _begin(command: Any) -> tuple[Span, Any] | None:  # noqa: ANN401
    """Start a command's span, unless it is part of a request, a task or another command."""
    name = type(command).__module__.rpartition(".")[2]
    if name in current_settings().commands_left_out:
        return None
    if trace.get_current_span().get_span_context().is_valid:
        return None
    tracer = trace.get_tracer(_SCOPE)
    span = tracer.start_span(f"command {name}", attributes={COMMAND: name})
    return span, attach(trace.set_span_in_context(span))


@guarded
def _end(begun: tuple[Span, Any] | None, error: BaseException | None) -> None:
    if begun is None:
        return
    span, token = begun
    detach(token)
    if isinstance(error, Exception):
        span.record_exception(error)
        span.set_status(StatusCode.ERROR, f"{type(error).__name__}: {error}")
    elif isinstance(error, SystemExit) and error.code:
        span.set_status(StatusCode.ERROR, f"exit status {error.code}")
    span.end()
