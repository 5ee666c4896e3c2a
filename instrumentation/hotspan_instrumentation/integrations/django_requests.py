"""Django's requests: which view, how large an answer, and what a 404 is not: an error.

By wrapping the stock middleware, which has the request's span at hand.
"""

import functools
import sys
from collections import Counter
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from opentelemetry.trace import Span
from opentelemetry.util.types import AttributeValue

from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.integrations.django_middleware import self_times_ms
from hotspan_instrumentation.keyed_hash import hash_of_key
from hotspan_instrumentation.settings import current_settings
from hotspan_instrumentation.streaming import follow_stream

MODULE: Final = "opentelemetry.instrumentation.django.middleware.otel_middleware"

VIEW: Final = "hotspan.django.view"
BODY_SIZE: Final = "http.response.body.size"
USER_HASH: Final = "user.hash"

_HEADERS: Final = ("Content-Encoding", "Content-Type")


def install(module: ModuleType) -> None:
    """Wrap what the stock middleware does with a view, its exception and its response."""
    if not current_settings().requests:
        return
    middleware = module._DjangoMiddleware  # noqa: SLF001 - its only name
    _call_before(middleware, "process_view", _describe_view)
    _call_before(middleware, "process_response", _describe_response)
    _leave_out(middleware, "process_exception", when=_is_client_error)


def _call_before(owner: Any, name: str, hook: Callable[..., None]) -> None:  # noqa: ANN401 - a class
    original = getattr(owner, name)

    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - Django's signature
        hook(self, *args, **kwargs)
        return original(self, *args, **kwargs)

    setattr(owner, name, call)


def _leave_out(owner: Any, name: str, *, when: Callable[..., bool | None]) -> None:  # noqa: ANN401
    original = getattr(owner, name)

    @functools.wraps(original)
    def call(self: Any, request: Any, exception: BaseException) -> Any:  # noqa: ANN401
        return None if when(exception) else original(self, request, exception)

    setattr(owner, name, call)


def _span(middleware: Any, request: Any) -> Span | None:  # noqa: ANN401
    span: Span | None = request.META.get(middleware._environ_span_key)  # noqa: SLF001
    return span if span is not None and span.is_recording() else None


@guarded
def _describe_view(middleware: Any, request: Any, view: Any, *_: object, **__: object) -> None:  # noqa: ANN401
    span = _span(middleware, request)
    if span is not None:
        span.set_attribute(VIEW, view_name(view))


@guarded
def _is_client_error(exception: BaseException) -> bool:
    """Whether Django answers it with 400, 403 or 404, as the view has asked for."""
    from django.core import exceptions  # noqa: PLC0415 - imported by then
    from django.http import Http404  # noqa: PLC0415

    expected = (Http404, exceptions.PermissionDenied, exceptions.BadRequest)
    return isinstance(exception, (*expected, exceptions.SuspiciousOperation))


@guarded
def _describe_response(middleware: Any, request: Any, response: Any) -> None:  # noqa: ANN401
    span = _span(middleware, request)
    if span is None:
        return
    span.set_attributes(_of_settings())
    span.set_attributes(self_times_ms(request))
    if current_settings().users:
        _describe_user(span, request)
    for header in _HEADERS:
        if header in response:
            span.set_attribute(f"http.response.header.{header.lower()}", [response[header]])
    if response.streaming:
        follow_stream(response, span)
    elif getattr(response, "is_rendered", True):
        span.set_attribute(BODY_SIZE, len(response.content))


def _describe_user(span: Span, request: Any) -> None:  # noqa: ANN401
    user = _known_user(request)
    if user is None or not user.is_authenticated:
        return
    hashed = hash_of_key(user._meta.label, user.pk)  # noqa: SLF001 - Django's public name
    if hashed is not None:
        span.set_attribute(USER_HASH, hashed)


def _known_user(request: Any) -> Any:  # noqa: ANN401 - any project's
    """Return the user of a request if the view has asked for it: to ask makes a query."""
    from django.utils.functional import LazyObject  # noqa: PLC0415 - imported by then

    values = request.__dict__
    user = values.get("user")
    if isinstance(user, LazyObject):
        return values.get("_cached_user") or values.get("_acached_user")
    return user


@functools.cache
def _of_settings() -> dict[str, AttributeValue]:
    settings = sys.modules["django.conf"].settings
    names = Counter(settings.MIDDLEWARE)
    found: dict[str, AttributeValue] = {"hotspan.django.debug": bool(settings.DEBUG)}
    duplicates = [name for name, times in names.items() if times > 1]
    if duplicates:
        found["hotspan.django.middleware_duplicates"] = duplicates
    return found


def view_name(view: Any) -> str:  # noqa: ANN401 - any callable
    """Return the qualified name of a view: of its class, where there is one."""
    while isinstance(view, functools.partial):
        view = view.func
    known = getattr(view, "view_class", None) or getattr(view, "cls", None) or view
    name = getattr(known, "__qualname__", None) or type(known).__qualname__
    return f"{known.__module__}.{name}"
