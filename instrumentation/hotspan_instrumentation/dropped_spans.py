"""How many spans this process has lost, until an entry's span carries the number away."""

import threading


class _Dropped:
    __slots__ = ("count", "lock")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.count = 0


_dropped = _Dropped()


def add_dropped_spans(count: int) -> None:
    """Count spans that were made and will not arrive."""
    with _dropped.lock:
        _dropped.count += count


def take_dropped_spans() -> int:
    """Return the number counted since the last call."""
    if not _dropped.count:  # nearly always
        return 0
    with _dropped.lock:
        count, _dropped.count = _dropped.count, 0
    return count
