"""What may go wrong with the demo, in words that say what to do."""

from __future__ import annotations

__all__ = ["ChildDiedError", "DemoError", "StoppedError"]


class DemoError(Exception):
    """The demo cannot go on; the message says why, and what to do."""


class StoppedError(Exception):
    """Somebody pressed Ctrl-C, or sent SIGTERM."""


class ChildDiedError(DemoError):
    """A process of the demo ended by itself."""

    def __init__(self, *, name: str, returncode: int, log: str, last_lines: str) -> None:
        super().__init__(
            f"The {name} ended with exit code {returncode}. Its last lines:\n\n{last_lines}\n\n"
            f"All it wrote is in {log}."
        )
