"""Sending the last spans of a process that is about to end without the interpreter's knowledge."""

import threading
import time

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


class TaskFlusher:
    """Sends what is queued a moment after it is asked to, in a thread of its own.

    Asked again meanwhile, it sends once: at most one request to the collector in each `delay_ms`.
    """

    def __init__(self, *, delay_ms: int) -> None:
        self._delay_s = delay_ms / 1000
        self._asked = threading.Event()
        threading.Thread(target=self._run, name="hotspan-task-flush", daemon=True).start()

    def request(self) -> None:
        """Ask for it; this takes no time."""
        self._asked.set()

    def _run(self) -> None:
        while self._asked.wait():
            time.sleep(self._delay_s)
            self._asked.clear()
            _flush_all()


@guarded
def _flush_all() -> None:
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.force_flush()
