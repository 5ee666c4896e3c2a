"""What a case is made of: what triggers it, and what must be found because of it."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["ANY_ENTRY", "Case", "Clean", "Pair", "Request", "TaskRuns"]

# The entry of findings that belong to a whole service: DEBUG, the list of middleware.
ANY_ENTRY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request, sent as often as `times` says."""

    method: str
    path: str
    entry: str
    body: dict[str, object] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRuns:
    """A task, published once for each list of arguments.

    `entries` says how many a run leaves in release 1.0.0: one an attempt, and none for certain when
    its worker is killed.
    """

    task: str
    runs: tuple[tuple[object, ...], ...]
    entries: int = 1

    @property
    def entry(self) -> str:
        return f"run/{self.task}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A rule that must find something in an entry of release 1.0.0, and nothing in 1.1.0.

    Args:
        count: Repetitions that the finding must have at least.
        words: The suggestion must contain one of these.
        file: End of the path of the file that the finding must point to.
        remains: Why the fix does not go as far as the rule asks; empty when it does.

    """

    rule: str
    entry: str
    count: int = 1
    words: tuple[str, ...] = ()
    file: str = ""
    remains: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A row of what the audits found."""

    id: str
    title: str
    triggers: tuple[Request | TaskRuns, ...]
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clean:
    """What must lead to no finding, in either release; `except_rules` names what may be found."""

    title: str
    trigger: Request | TaskRuns
    except_rules: frozenset[str] = frozenset()
