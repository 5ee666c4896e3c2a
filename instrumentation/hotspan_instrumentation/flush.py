"""Sending the last spans of a process that is about to end without the interpreter's knowledge."""

import threading

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

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
