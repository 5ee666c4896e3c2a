"""Batches on disk while the store is down (docs/adr/0003-spool-and-ledger.md)."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import structlog

from hotspan_collector.errors import ConfigurationError, SpoolFullError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hotspan_collector.ingest.ledger import Census

__all__ = ["Spool", "SpooledBatch"]

_LOG = structlog.get_logger(__name__)
_SUFFIX = ".batch"
_UNFINISHED = ".part"
_DAMAGED = ".damaged"


@dataclass(frozen=True, slots=True)
class SpooledBatch:
    """A batch that waits for the store."""

    token: str
    """Of the insert: the same at every try."""
    census: Census
    """Its valid spans, by service."""
    body: bytes


class Spool:
    """A directory of batches, oldest first. Safe to use from several threads."""

    def __init__(self, directory: Path, *, max_bytes: int) -> None:
        """Own the directory, and look what an earlier process has left in it.

        Args:
            directory: is made when there is none.
            max_bytes: that its files may take.

        Raises:
            ConfigurationError: the directory cannot be used.

        """
        self._directory = directory
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._file_lock = _own(directory)
        for unfinished in directory.glob(f"*{_UNFINISHED}"):
            unfinished.unlink()
        files = sorted(directory.glob(f"*{_SUFFIX}"))
        self._files = {path: (path.stat().st_size, _read_census(path)) for path in files}
        self._next = 1 + (int(files[-1].stem) if files else 0)
        self.bytes = sum(size for size, _ in self._files.values())

    @property
    def max_bytes(self) -> int:
        """How many bytes its files may take."""
        return self._max_bytes

    def __len__(self) -> int:
        return len(self._files)

    def census(self) -> Census:
        """Return the spans that wait, by service."""
        census: Counter[str] = Counter()
        with self._lock:
            for _, spans in self._files.values():
                census.update(spans)
        return dict(census)

    def append(self, batch: SpooledBatch) -> None:
        """Write a batch; it survives a power cut when this returns.

        Raises:
            SpoolFullError: it does not fit, or the disk is full.

        """
        head = {
            "token": batch.token,
            "spans": batch.census,
            "bytes": len(batch.body),
            "crc32": zlib.crc32(batch.body),
        }
        content = json.dumps(head).encode() + b"\n" + batch.body
        with self._lock:
            if self.bytes + len(content) > self._max_bytes:
                raise SpoolFullError(
                    f"The store is down, and the spool is full: {self.bytes} of {self._max_bytes} "
                    "bytes (HOTSPAN_SPOOL_MAX_BYTES); try again later."
                )
            path = self._directory / f"{self._next:012d}{_SUFFIX}"
            try:
                _write_durably(path, content)
            except OSError as error:
                raise SpoolFullError(
                    f"The store is down, and the spool cannot be written: {error}; try again later."
                ) from error
            self._next += 1
            self._files[path] = (len(content), batch.census)
            self.bytes += len(content)

    def oldest(self) -> tuple[Path, SpooledBatch | None] | None:
        """Return the file that has waited longest, and its batch: None when it is damaged."""
        with self._lock:
            path = next(iter(self._files), None)
        return None if path is None else (path, _read(path))

    def set_aside(self, path: Path) -> Census:
        """Keep a damaged file under another name; return the spans that it held."""
        _LOG.error("spool_file_damaged", path=str(path))
        path.rename(path.with_suffix(_DAMAGED))
        return self._forget(path)

    def remove(self, path: Path) -> Census:
        """Delete a batch that is stored; return the spans that it held."""
        path.unlink(missing_ok=True)
        return self._forget(path)

    def close(self) -> None:
        """Let another process own the directory."""
        self._file_lock.close()

    def _forget(self, path: Path) -> Census:
        with self._lock:
            size, census = self._files.pop(path)
            self.bytes -= size
            return census


def _own(directory: Path) -> IO[str]:
    try:
        # Requests are kept here as they came, with what is secret in them.
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (directory / "lock").open("w")
    except OSError as error:
        raise ConfigurationError(
            f"The spool cannot be kept in {directory}: {error}. Choose another directory with "
            "HOTSPAN_SPOOL_DIR, or do without: HOTSPAN_SPOOL_MAX_BYTES=0."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise ConfigurationError(
            f"The spool in {directory} belongs to another collector: give each one of its own with "
            "HOTSPAN_SPOOL_DIR."
        ) from error
    return lock


def _write_durably(path: Path, content: bytes) -> None:
    unfinished = path.with_suffix(_UNFINISHED)
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    except OSError:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path) -> SpooledBatch | None:
    try:
        first, _, body = path.read_bytes().partition(b"\n")
        head = json.loads(first)
        if (head["bytes"], head["crc32"]) != (len(body), zlib.crc32(body)):
            return None
        return SpooledBatch(str(head["token"]), _census_in(head), body)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _read_census(path: Path) -> Census:
    try:
        with path.open("rb") as file:
            return _census_in(json.loads(file.readline()))
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # `oldest` sets it aside


def _census_in(head: Mapping[str, object]) -> Census:
    spans = head["spans"]
    if not isinstance(spans, dict):
        raise TypeError(spans)
    return {str(service): int(number) for service, number in spans.items()}
