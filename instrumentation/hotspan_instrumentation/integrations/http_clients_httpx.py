"""httpx: timeouts, of its sync and its async transport."""

import functools
from types import ModuleType
from typing import Any, Final

from hotspan_instrumentation.client_calls import note_call
from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.settings import current_settings

MODULE: Final = "httpx"


def install(module: ModuleType) -> None:
    """Wrap both transports, inside of the stock wrappers and their spans."""
    if current_settings().client_calls:
        _wrap(module.HTTPTransport)
        _wrap_async(module.AsyncHTTPTransport)


def _wrap(transport: Any) -> None:  # noqa: ANN401 - httpx is not a dependency
    original = transport.handle_request

    @functools.wraps(original)
    def handle_request(self: Any, request: Any) -> Any:  # noqa: ANN401 - httpx's signature
        _note(request)
        return original(self, request)

    transport.handle_request = handle_request


def _wrap_async(transport: Any) -> None:  # noqa: ANN401
    original = transport.handle_async_request

    @functools.wraps(original)
    async def handle_async_request(self: Any, request: Any) -> Any:  # noqa: ANN401
        _note(request)
        return await original(self, request)

    transport.handle_async_request = handle_async_request


@guarded
def _note(request: Any) -> None:  # noqa: ANN401
    timeout = request.extensions.get("timeout") or {}
    note_call(timeout_s=timeout.get("read"))
