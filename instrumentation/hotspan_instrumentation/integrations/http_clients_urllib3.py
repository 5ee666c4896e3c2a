"""urllib3, and what is built on it: requests and botocore. Timeouts and retries."""

import functools
import inspect
from types import ModuleType
from typing import Any, Final

from hotspan_instrumentation.client_calls import note_call, resolved_timeout_s
from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.settings import current_settings

MODULE: Final = "urllib3.connectionpool"


def install(module: ModuleType) -> None:
    """Wrap `HTTPConnectionPool.urlopen`, inside of the stock wrapper and its span."""
    if not current_settings().client_calls:
        return
    pool = module.HTTPConnectionPool
    original = pool.urlopen
    signature = inspect.signature(original)

    @functools.wraps(original)
    def urlopen(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - urllib3's signature
        _note(signature, self, args, kwargs)
        return original(self, *args, **kwargs)

    pool.urlopen = urlopen


@guarded
def _note(
    signature: inspect.Signature,
    pool: Any,  # noqa: ANN401
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> None:
    bound = signature.bind(pool, *args, **kwargs).arguments if args else kwargs
    timeout = bound.get("timeout", signature.parameters["timeout"].default)
    history = getattr(bound.get("retries"), "history", ())
    note_call(timeout_s=_seconds(pool._get_timeout(timeout)), retries=len(history))  # noqa: SLF001


def _seconds(timeout: Any) -> float | None:  # noqa: ANN401 - urllib3's Timeout
    """Return how long an answer may take: the shorter of what it has and what all has."""
    parts = (resolved_timeout_s(timeout._read), resolved_timeout_s(timeout.total))  # noqa: SLF001
    limits = [part for part in parts if part is not None]
    return min(limits) if limits else None
