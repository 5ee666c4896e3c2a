"""Spans that the store refuses for their content: kept with their bytes and the store's message."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Quarantine", "Quarantined"]

_LOG = structlog.get_logger(__name__)
_SUFFIX = ".quarantined"
_MAX_MESSAGE_LENGTH = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A request of spans that the store refused."""

    id: str
    service: str
    spans: int
    bytes: int
    message: str
    """What the store said."""
    quarantined_at_ms: int


class Quarantine:
    """A directory with a file for each refused request. Safe to use from several threads."""

    def __init__(self, directory: Path, *, max_bytes: int) -> None:
        """Prepare; the directory is made when there is something to keep.

        Args:
            directory: where files are.
            max_bytes: that they may take; what comes beyond is not kept.

        """
        self._directory = directory
        self._max_bytes = max_bytes
        self._lock = threading.Lock()

    def keep(self, body: bytes, *, service: str, spans: int, message: str) -> bool:
        """Keep a serialized request; tell whether there was room."""
        now_ms = time.time_ns() // 1_000_000
        with self._lock:
            taken = sum(path.stat().st_size for path in self._paths())
            if taken + len(body) > self._max_bytes:
                _LOG.error("quarantine_full", service=service, spans=spans, message=message)
                return False
            try:
                # Requests are kept here as they came, with what is secret in them.
                self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                name = self._free_name(now_ms)
                head = Quarantined(
                    id=name,
                    service=service,
                    spans=spans,
                    bytes=len(body),
                    message=message[:_MAX_MESSAGE_LENGTH],
                    quarantined_at_ms=now_ms,
                )
                content = json.dumps(asdict(head)).encode() + b"\n" + body
                (self._directory / f"{name}{_SUFFIX}").write_bytes(content)
            except OSError as error:
                _LOG.exception("quarantine_failed", error=str(error))
                return False
        _LOG.error("spans_quarantined", id=name, service=service, spans=spans, message=message)
        return True

    def items(self) -> list[Quarantined]:
        """Return what is kept, oldest first."""
        items = (_read(path) for path in self._paths())
        return [item for item, _ in filter(None, items)]

    def body(self, item_id: str) -> bytes | None:
        """Return the bytes of one, or None when it is not there (any more)."""
        paths = {path.stem: path for path in self._paths()}
        found = _read(paths[item_id]) if item_id in paths else None
        return found[1] if found else None

    def remove(self, item_id: str) -> None:
        """Forget one."""
        for path in self._paths():
            if path.stem == item_id:
                path.unlink(missing_ok=True)

    def _paths(self) -> list[Path]:
        return sorted(self._directory.glob(f"*{_SUFFIX}"))

    def _free_name(self, now_ms: int) -> str:
        taken = {path.stem for path in self._paths()}
        names = (f"{now_ms}-{number}" for number in range(len(taken) + 1))
        return next(name for name in names if name not in taken)


def _read(path: Path) -> tuple[Quarantined, bytes] | None:
    try:
        first, _, body = path.read_bytes().partition(b"\n")
        return Quarantined(**json.loads(first)), body
    except (OSError, ValueError, TypeError):
        _LOG.exception("quarantine_file_damaged", path=str(path))
        return None
