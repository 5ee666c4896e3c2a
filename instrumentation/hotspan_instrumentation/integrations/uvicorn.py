"""uvicorn: at SIGTERM it raises the signal anew when it is done, and no exit handler runs."""

import functools
from types import ModuleType
from typing import Any, Final

from hotspan_instrumentation.flush import flush_spans
from hotspan_instrumentation.guard import guarded

MODULE: Final = "uvicorn.server"


def install(module: ModuleType) -> None:
    """Send the last spans when the server has shut down."""
    original = module.Server.shutdown
    flush = guarded(flush_spans)

    @functools.wraps(original)
    async def shutdown(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - uvicorn's signature
        try:
            return await original(self, *args, **kwargs)
        finally:
            flush()

    module.Server.shutdown = shutdown
