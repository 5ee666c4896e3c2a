"""What is logged of a collector that cannot be reached: one line a minute, with what to do.

The SDK and its exporters log every attempt, and every span that a full queue drops.
"""

import logging
import threading
import time
from typing import Final

INTERVAL_S: Final = 60
_MAX_CAUSE_CHARS: Final = 300

_LOGGERS: Final = (
    "opentelemetry.exporter.otlp.common.http",
    "opentelemetry.exporter.otlp.proto.grpc.exporter",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.sdk._shared_internal",
)


class OnceAMinute(logging.Filter):
    """Let through the first message of a minute, put in words that help; and no other."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._next_s = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log a message. Those that are no warnings pass as they are."""
        if record.levelno < logging.WARNING:
            return True
        with self._lock:
            now_s = time.monotonic()
            if now_s < self._next_s:
                return False
            self._next_s = now_s + INTERVAL_S
        cause = record.getMessage()[:_MAX_CAUSE_CHARS]
        record.msg = (
            "Spans do not reach the collector (%s). Requests and tasks go on; spans are kept for a "
            "short time, then dropped and counted. Start the collector (hotspan serve), or set "
            "OTEL_EXPORTER_OTLP_ENDPOINT; 'python -m hotspan_instrumentation doctor' says more. "
            "This is logged once a minute"
        )
        record.args = (cause,)
        record.exc_info = None
        return True


_filter: Final = OnceAMinute()


def quiet_export() -> None:
    """Have all that is logged of exporting share one line a minute; again is as once."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_filter)
