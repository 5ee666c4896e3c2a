"""aiohttp: timeouts, of a session and of a single request."""

import contextvars
import functools
from types import ModuleType
from typing import Any, Final

from hotspan_instrumentation.client_calls import note_call
from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.settings import current_settings

MODULE: Final = "aiohttp.client"

# What holds for the request that is being made: a session's tracing hooks are not told.
_timeout_s: contextvars.ContextVar[float | None] = contextvars.ContextVar(
    "hotspan_aiohttp_timeout", default=None
)


def install(module: ModuleType) -> None:
    """Wrap a session's requests, and what they make inside of the stock span."""
    if not current_settings().client_calls:
        return
    _wrap_session(module.ClientSession)
    _wrap_request(module.ClientRequest)


def _wrap_session(session: Any) -> None:  # noqa: ANN401 - aiohttp is not a dependency
    original = session._request  # noqa: SLF001 - its only name

    @functools.wraps(original)
    async def request(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - aiohttp's signature
        outer = _timeout_s.set(_effective_s(self, **kwargs))
        try:
            return await original(self, *args, **kwargs)
        finally:
            _timeout_s.reset(outer)

    session._request = request  # noqa: SLF001 - likewise


def _wrap_request(request: Any) -> None:  # noqa: ANN401
    original = request.__init__

    @functools.wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - aiohttp's signature
        _note()
        original(self, *args, **kwargs)

    request.__init__ = init


@guarded
def _note() -> None:
    note_call(timeout_s=_timeout_s.get())


@guarded
def _effective_s(session: Any, *, timeout: Any = ..., **_: object) -> float | None:  # noqa: ANN401
    """Return how long an answer may take: the shorter of a read and of all, None for ever."""
    if timeout is None or isinstance(timeout, int | float):  # deprecated, and the whole
        return timeout
    if not hasattr(timeout, "sock_read"):  # nothing is given
        timeout = session.timeout
    limits = [part for part in (timeout.sock_read, timeout.total) if part]
    return min(limits) if limits else None
