"""Async ORM: Django runs the query in a thread, whose stack does not show who awaits it."""

import functools
import sys
from types import ModuleType
from typing import Any, Final

from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.processors import shared_finder

MODULE: Final = "asgiref.sync"


def install(module: ModuleType) -> None:
    """Wrap `SyncToAsync.__call__` so that the awaiting line is known in the thread."""
    original = module.SyncToAsync.__call__
    remember = guarded(shared_finder().remember_awaiting)

    @functools.wraps(original)
    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any function's
        remember(sys._getframe())  # noqa: SLF001 - nothing else is as fast
        return await original(self, *args, **kwargs)

    module.SyncToAsync.__call__ = call
