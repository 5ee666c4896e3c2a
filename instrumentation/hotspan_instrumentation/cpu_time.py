"""The CPU time of an entry, where it can be told from that of others."""

import asyncio
import threading
import time
from typing import Final

_NS_PER_MS: Final = 1e6


class _Running:
    """How many timers have been started in this process, and how many of them are running."""

    __slots__ = ("lock", "running", "started")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.started = 0
        self.running = 0


_timers = _Running()


class CpuTimer:
    """Measures CPU time from its creation to `stop`.

    Work that begins and ends on one thread, outside an event loop, has that thread to itself: its
    CPU time is the thread's. Other work (async views, tasks of an event loop) shares its thread:
    its CPU time is the process's, if nothing else was timed meanwhile, and else unknown.
    """

    __slots__ = ("_number", "_process_ns", "_thread_id", "_thread_ns")

    def __init__(self) -> None:
        with _timers.lock:
            _timers.started += 1
            alone = _timers.running == 0
            _timers.running += 1
            self._number = _timers.started if alone else 0
        self._thread_id = 0 if _in_event_loop() else threading.get_ident()
        self._process_ns = time.process_time_ns()
        self._thread_ns = time.thread_time_ns()

    def stop(self) -> float | None:
        """Return milliseconds, or None where they cannot be told."""
        with _timers.lock:
            _timers.running -= 1
            alone = self._number == _timers.started
        if self._thread_id == threading.get_ident():
            return (time.thread_time_ns() - self._thread_ns) / _NS_PER_MS
        if alone:
            return (time.process_time_ns() - self._process_ns) / _NS_PER_MS
        return None


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
