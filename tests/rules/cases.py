"""What entries do, and what must be found about it: nearly half are clean and look guilty."""

from rules import (
    batch_cases,
    calling_cases,
    clean_cases,
    looping_cases,
    repeating_cases,
    waiting_cases,
)
from rules.labelled import CASES, Case

__all__ = [
    "CASES",
    "Case",
    "batch_cases",
    "calling_cases",
    "clean_cases",
    "looping_cases",
    "repeating_cases",
    "waiting_cases",
]
