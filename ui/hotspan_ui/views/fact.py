"""A number worth standing alone, and what it means."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """A number worth standing alone, and what it means."""

    name: str
    value: str
    explanation: str = ""
