"""Each middleware's own time, without spans of their own: five more a request cost too much.

What a middleware is given as `get_response` measures all that is inside of it. The difference to
what the next one outside measures is the middleware's own time.
"""

import functools
import inspect
import time
from collections.abc import Callable
from typing import Any, Final

from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.settings import current_settings

MODULE: Final = "django.core.handlers.base"

_TIMES: Final = "_hotspan_inside_ns"
_NS_PER_MS: Final = 1_000_000


def install(module: Any) -> None:  # noqa: ANN401 - a module
    """Wrap the loading of middleware, by the name under which the handler imports it."""
    if not current_settings().middleware:
        return
    original = module.import_string

    @functools.wraps(original)
    def import_string(dotted_path: str) -> Any:  # noqa: ANN401 - Django's
        imported = original(dotted_path)
        return _timed(imported, dotted_path) or imported

    module.import_string = import_string


@guarded
def _timed(middleware: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return a factory like the middleware, which gives it a `get_response` that measures."""

    def factory(get_response: Callable[..., Any]) -> Any:  # noqa: ANN401 - the middleware
        return middleware(_measured(get_response, name) or get_response)

    for capability in ("sync_capable", "async_capable"):
        if hasattr(middleware, capability):
            setattr(factory, capability, getattr(middleware, capability))
    factory.__name__ = getattr(middleware, "__name__", name)
    return factory


@guarded
def _measured(get_response: Callable[..., Any], name: str) -> Callable[..., Any]:
    if _is_async(get_response):

        @functools.wraps(get_response)
        async def inside_async(request: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            started_ns = time.perf_counter_ns()
            try:
                return await get_response(request, *args, **kwargs)
            finally:
                _remember(request, name, time.perf_counter_ns() - started_ns)

        return inside_async

    @functools.wraps(get_response)
    def inside(request: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        started_ns = time.perf_counter_ns()
        try:
            return get_response(request, *args, **kwargs)
        finally:
            _remember(request, name, time.perf_counter_ns() - started_ns)

    return inside


def _is_async(function: Callable[..., Any]) -> bool:
    from asgiref.sync import iscoroutinefunction  # noqa: PLC0415 - Django has it

    return bool(iscoroutinefunction(function)) or inspect.iscoroutinefunction(function)


@guarded
def _remember(request: Any, name: str, inside_ns: int) -> None:  # noqa: ANN401 - a request
    request.__dict__.setdefault(_TIMES, []).append((name, inside_ns))


def self_times_ms(request: Any) -> dict[str, float]:  # noqa: ANN401 - a request
    """Return attributes with the own times of middlewares that took as long as the threshold."""
    least_ms = current_settings().middleware_min_ms
    own_ms: dict[str, float] = {}
    inside_ns = 0
    name: str | None = None
    # From the innermost outwards: what one has inside is the next one's inner neighbour, whole.
    for outer, total_ns in request.__dict__.get(_TIMES, ()):
        if name is not None:
            own_ms[name] = own_ms.get(name, 0) + (total_ns - inside_ns) / _NS_PER_MS
        name, inside_ns = outer, total_ns
    return {
        f"hotspan.middleware.{name}.self_ms": round(ms, 3)
        for name, ms in own_ms.items()
        if ms >= least_ms
    }
