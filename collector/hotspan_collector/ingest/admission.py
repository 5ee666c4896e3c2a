"""Who may come in now: bounds the requests, and their bytes, that are held in memory."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hotspan_collector.errors import RateLimitedError, TooManyRequestsError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Admission", "Stay"]

_BURST_S = 5.0


class Admission:
    """Counts what is being answered. For one event loop."""

    def __init__(self, *, max_requests: int, max_bytes: int, key_bytes_per_s: int = 0) -> None:
        """Let nobody in yet.

        Args:
            max_requests: that may be answered at once.
            max_bytes: that these may hold, decompressed.
            key_bytes_per_s: that each key may send, on average; 0 for no limit.

        """
        self._max_requests = max_requests
        self._max_bytes = max_bytes
        self._key_bytes_per_s = key_bytes_per_s
        self._allowances: dict[str, _Allowance] = {}
        self.requests = 0
        self.bytes = 0

    @contextmanager
    def stay(self, key: str = "") -> Iterator[Stay]:
        """Let a request in, until the block ends.

        Args:
            key: with which it came.

        Raises:
            TooManyRequestsError: there are too many.
            RateLimitedError: the key has sent too much.

        """
        if self.requests >= self._max_requests:
            raise TooManyRequestsError(
                f"{self.requests} requests are being answered, as many as may be at once "
                "(HOTSPAN_MAX_CONCURRENT_REQUESTS); try again later."
            )
        stay = Stay(self, self._allowance(key))
        self.requests += 1
        try:
            yield stay
        finally:
            self.requests -= 1
            self.bytes -= stay.bytes

    def take(self, size: int) -> None:
        """Note that a request holds more bytes."""
        if self.bytes + size > self._max_bytes:
            raise TooManyRequestsError(
                "More spans wait than the collector may hold (HOTSPAN_COMMIT_QUEUE_BYTES); "
                "try again later."
            )
        self.bytes += size

    def _allowance(self, key: str) -> _Allowance | None:
        if not self._key_bytes_per_s:
            return None
        return self._allowances.setdefault(key, _Allowance(self._key_bytes_per_s))


class Stay:
    """One request that was let in."""

    def __init__(self, admission: Admission, allowance: _Allowance | None) -> None:
        self._admission = admission
        self._allowance = allowance
        self.bytes = 0
        if allowance:
            allowance.check()

    def hold(self, size: int) -> None:
        """Note that it holds so many more bytes.

        Raises:
            TooManyRequestsError: they are too many, all requests taken together.

        """
        self._admission.take(size)
        self.bytes += size
        if self._allowance:
            self._allowance.spend(size)


class _Allowance:
    """Bytes that may be sent: refilled with time, up to some seconds' worth; may go below zero."""

    def __init__(self, bytes_per_s: int) -> None:
        self._bytes_per_s = bytes_per_s
        self._left = bytes_per_s * _BURST_S
        self._at = time.monotonic()

    def check(self) -> None:
        now = time.monotonic()
        refilled = self._left + (now - self._at) * self._bytes_per_s
        self._left = min(refilled, self._bytes_per_s * _BURST_S)
        self._at = now
        if self._left <= 0:
            raise RateLimitedError(
                f"This key sends more than {self._bytes_per_s} bytes a second "
                "(HOTSPAN_INGEST_KEY_BYTES_PER_S); try again later, or sample."
            )

    def spend(self, size: int) -> None:
        self._left -= size
