"""Sending the last spans of a process that is about to end without the interpreter's knowledge."""

import threading
import time
from typing import Final

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.settings import current_settings


def flush_spans() -> None:
    """Send what is queued, for as long as the setting allows; then go on, sent or not."""
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        return
    timeout_ms = current_settings().flush_timeout_ms
    # The SDK's own force_flush takes a timeout and ignores it.
    thread = threading.Thread(
        target=provider.force_flush, args=(timeout_ms,), name="hotspan-flush", daemon=True
    )
    thread.start()
    thread.join(timeout_ms / 1000)


# The stock receiver, which ends a task's span, may be called after ours.
_SPAN_ENDS_S: Final = 0.005


class TaskFlusher:
    """Sends what is queued as soon as it is asked to, in a thread of its own.

    Asked again within `pause_ms`, it waits until these are over.
    """

    def __init__(self, *, pause_ms: int) -> None:
        self._pause_s = pause_ms / 1000
        self._asked = threading.Event()
        threading.Thread(target=self._run, name="hotspan-task-flush", daemon=True).start()

    def request(self) -> None:
        """Ask for it; this takes no time."""
        self._asked.set()

    def _run(self) -> None:
        while self._asked.wait():
            time.sleep(_SPAN_ENDS_S)
            self._asked.clear()
            _flush_all()
            time.sleep(self._pause_s)


@guarded
def _flush_all() -> None:
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.force_flush()
