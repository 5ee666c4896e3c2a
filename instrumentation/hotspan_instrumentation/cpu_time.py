"""The CPU time of an entry, and its wait for a core, where both can be told from others'."""

import asyncio
import os
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


def run_delay_ns() -> int | None:
    """Return how long this thread has waited for a core; None where the system does not tell."""
    # Opened each time, twice an entry: a file that is kept would not survive a fork or a daemon,
    # which closes all, and others are given its number.
    try:
        file = os.open("/proc/thread-self/schedstat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None  # not Linux, or a kernel without it
    try:
        return int(os.read(file, 96).split()[1])
    except (OSError, IndexError, ValueError):
        return None
    finally:
        os.close(file)


class CpuTimer:
    """Measures CPU time from its creation to `stop`.

    Work that begins and ends on one thread, outside an event loop, has that thread to itself: its
    CPU time is the thread's. Other work (async views, tasks of an event loop) shares its thread:
    its CPU time is the process's, if nothing else was timed meanwhile, and else unknown.

    Attributes:
        run_delay_ms: once stopped, how long the thread was ready and had no core; None where that
            cannot be told.

    """

    __slots__ = (
        "_number",
        "_process_ns",
        "_run_delay_ns",
        "_thread_id",
        "_thread_ns",
        "run_delay_ms",
    )

    def __init__(self) -> None:
        with _timers.lock:
            _timers.started += 1
            alone = _timers.running == 0
            _timers.running += 1
            self._number = _timers.started if alone else 0
        self._thread_id = 0 if _in_event_loop() else threading.get_ident()
        self.run_delay_ms: float | None = None
        self._run_delay_ns = run_delay_ns() if self._thread_id else None
        self._process_ns = time.process_time_ns()
        self._thread_ns = time.thread_time_ns()

    def stop(self) -> float | None:
        """Return milliseconds, or None where they cannot be told."""
        with _timers.lock:
            _timers.running -= 1
            alone = self._number == _timers.started
        if self._thread_id == threading.get_ident():
            if self._run_delay_ns is not None and (now_ns := run_delay_ns()) is not None:
                self.run_delay_ms = (now_ns - self._run_delay_ns) / _NS_PER_MS
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
