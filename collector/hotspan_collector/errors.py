"""What can go wrong, in words that say what to do.

Every error that reaches a person is a `HotspanError`; its docstring is its message unless one is
given.
"""

from __future__ import annotations

__all__ = [
    "BackupError",
    "ConfigurationError",
    "DataDirectoryInUseError",
    "HotspanError",
    "KeyRequiredError",
    "LeaseLostError",
    "MalformedRequestError",
    "PortInUseError",
    "RateLimitedError",
    "RequestTimeoutError",
    "RequestTooLargeError",
    "SpoolFullError",
    "StoreOverloadedError",
    "StoreRefusedError",
    "StoreTooOldError",
    "StoreUnavailableError",
    "StoreUnreachableError",
    "TooManyRequestsError",
    "UnsupportedMediaError",
]


class HotspanError(Exception):
    """Something went wrong in hotspan."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.__doc__)


class ConfigurationError(HotspanError):
    """A setting has a value that cannot be used."""


class BackupError(HotspanError):
    """A backup cannot be made, or not be restored."""


class PortInUseError(HotspanError):
    """A port that hotspan wants to listen on is taken."""


class DataDirectoryInUseError(HotspanError):
    """Another collector owns the data directory."""


class StoreUnavailableError(HotspanError):
    """The store cannot be reached, or has no room at the moment: try again later."""


class StoreUnreachableError(StoreUnavailableError):
    """The store does not answer: it is down, or its address is wrong."""


class StoreOverloadedError(StoreUnavailableError):
    """The store had not enough time or memory for what it was asked."""


class SpoolFullError(StoreUnavailableError):
    """The store is down, and the spool is full: try again later."""


class LeaseLostError(StoreUnavailableError):
    """Another collector does this now, or may: the lease is over."""


class StoreRefusedError(HotspanError):
    """The store refused what it was given: trying again will not help."""


class StoreTooOldError(HotspanError):
    """The ClickHouse server is too old."""


class MalformedRequestError(HotspanError):
    """The request is not OTLP."""


class RequestTooLargeError(HotspanError):
    """The request holds more than one request may: smaller ones are taken."""


class TooManyRequestsError(HotspanError):
    """More is asked at once than may be: try again later."""


class RateLimitedError(TooManyRequestsError):
    """A key sends more than it may: try again later."""


class KeyRequiredError(HotspanError):
    """Send one of HOTSPAN_INGEST_KEYS: OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20<key>."""


class UnsupportedMediaError(HotspanError):
    """The content type or encoding is not OTLP's."""


class RequestTimeoutError(HotspanError):
    """The request took too long to arrive."""
