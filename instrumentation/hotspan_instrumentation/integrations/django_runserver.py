"""runserver without its reloader: SIGTERM ends it without exit handlers."""

import functools
import os
import signal
import threading
from types import FrameType, ModuleType
from typing import Any, Final

from hotspan_instrumentation.flush import flush_spans
from hotspan_instrumentation.guard import guarded

MODULE: Final = "django.core.management.commands.runserver"


def install(module: ModuleType) -> None:
    """Send the last spans when a server without reloader is asked to end."""
    original = module.Command.inner_run

    @functools.wraps(original)
    def inner_run(self: Any, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - Django's signature
        _flush_at_sigterm()
        return original(self, *args, **options)

    module.Command.inner_run = inner_run


@guarded
def _flush_at_sigterm() -> None:
    in_main_thread = threading.current_thread() is threading.main_thread()
    # With a reloader Django has a handler of its own, which ends the process in an orderly way.
    if in_main_thread and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _flush_and_end)


def _flush_and_end(number: int, frame: FrameType | None) -> None:
    del frame
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    flush_spans()
    os.kill(os.getpid(), number)
