"""Django's templates and Jinja's: what a page costs to render, without a span for each part of it.

What a template includes or extends is counted with it, and so are the queries that it makes.
"""

import contextvars
import functools
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from opentelemetry import trace

from hotspan_instrumentation.entry import current_entry
from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.settings import current_settings

RENDERS: Final = "hotspan.template.renders"
TIME_MS: Final = "hotspan.template.time_ms"
NAME: Final = "hotspan.template.name"

_SCOPE: Final = "hotspan_instrumentation.templates"
_NS_PER_MS: Final = 1_000_000

# Whether a template is being rendered: what its tags render is a part of it.
_rendering: contextvars.ContextVar[bool] = contextvars.ContextVar(
    "hotspan_rendering", default=False
)


def install(module: ModuleType) -> None:
    """Time the rendering of templates that are not a part of another one's."""
    if current_settings().templates:
        module.Template.render = _timed(module.Template.render, lambda template: template.name)


def install_jinja(module: ModuleType) -> None:
    """Do so for those of Jinja, which Django has wrapped."""
    if current_settings().templates:
        module.Template.render = _timed(
            module.Template.render, lambda template: template.template.name
        )


def _timed(
    original: Callable[..., Any], name_of: Callable[[Any], str | None]
) -> Callable[..., Any]:
    @functools.wraps(original)
    def render(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - Django's signatures
        if _rendering.get():
            return original(self, *args, **kwargs)
        outer = _rendering.set(True)
        started_ns = time.time_ns()
        try:
            return original(self, *args, **kwargs)
        finally:
            _rendering.reset(outer)
            _note(self, name_of, started_ns)

    return render


@guarded
def _note(template: Any, name_of: Callable[[Any], str | None], started_ns: int) -> None:  # noqa: ANN401
    ended_ns = time.time_ns()
    elapsed_ms = (ended_ns - started_ns) / _NS_PER_MS
    entry = current_entry()
    if entry is not None:
        entry.add_all({RENDERS: 1, TIME_MS: elapsed_ms})
    if elapsed_ms < current_settings().template_span_min_ms:
        return
    if not trace.get_current_span().is_recording():  # alone it would look like a command
        return
    # A template made from a text has no name.
    name = str(name_of(template) or "")
    span = trace.get_tracer(_SCOPE).start_span(
        f"render {name}".strip(), start_time=started_ns, attributes={NAME: name}
    )
    span.end(ended_ns)


HOOKS: Final = (
    ("django.template.base", install),
    ("django.template.backends.jinja2", install_jinja),
)
