"""The labelled corpus: what was recorded how, and what must be found in it (labels.toml)."""

import functools
import gzip
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

CORPUS = Path(__file__).parents[1] / "corpus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One way of running the program; a pool where its tasks are asked for, not its pages.

    With a release it is the demo's shop that runs.
    """

    name: str
    instrumentation: str
    database: str
    server: str
    conventions: str
    pool: str = ""
    release: str = ""

    @property
    def path(self) -> Path:
        return CORPUS / "recordings" / f"{self.name}.binpb.gz"

    @property
    def is_stock(self) -> bool:
        return self.instrumentation == "stock"

    def body(self) -> bytes:
        """Return what was recorded, as one serialized request."""
        return gzip.decompress(self.path.read_bytes())


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Something that the program does, and the rules that must find something in it.

    Rules that are in neither list must not find anything. A rule may be qualified by how it was
    recorded: `query_chain@enriched`, `slow_external_call@page`, `slow_query@sqlite`.
    """

    name: str
    what: str = ""
    finds: Sequence[str] = ()
    may_find: Sequence[str] = ()
    at_speeds: bool = False
    """Is judged at several durations of a query, too."""
    only: str = ""
    """Is asked for as a page, or as a task; otherwise as both."""
    pools: Sequence[str] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    path: str = ""
    """Of the demo's shop."""
    method: str = "GET"
    body: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def is_in(self, recording: Recording) -> bool:
        """Whether it is asked for in a recording."""
        if bool(self.path) != bool(recording.release):
            return False
        if self.pools and recording.pool not in self.pools:
            return False
        return self.only in {"", "task" if recording.pool else "page"}

    def expected(self, recording: Recording) -> set[str]:
        """The rules that must find something."""
        return _applying(self.finds, recording)

    def tolerated(self, recording: Recording) -> set[str]:
        """The rules that may find something or not: there are good reasons for both."""
        return _applying(self.may_find, recording)


def _applying(rules: Sequence[str], recording: Recording) -> set[str]:
    traits = {
        recording.instrumentation,
        recording.database,
        recording.server,
        recording.pool,
        recording.release,
        "task" if recording.pool else "page",
    }
    split = [rule.split("@") for rule in rules]
    return {rule for rule, *needed in split if traits.issuperset(needed)}


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """An older recording: files of stock spans whose names begin alike."""

    name: str
    what: str = ""
    finds: Sequence[str] = ()
    may_find: Sequence[str] = ()


def files() -> Sequence[File]:
    """Return all older recordings."""
    return [File(name=name, **values) for name, values in _labels()["files"].items()]


def trace_id_of(recording: str, scenario: str) -> str:
    """Return the id of the trace of a scenario, in hex."""
    return blake2b(f"{recording}/{scenario}".encode(), digest_size=16).hexdigest()


def recordings() -> Sequence[Recording]:
    """Return all recordings."""
    return [Recording(name=name, **values) for name, values in _labels()["recordings"].items()]


def scenarios() -> Sequence[Scenario]:
    """Return all scenarios."""
    return [Scenario(name=name, **values) for name, values in _labels()["scenarios"].items()]


@functools.cache
def _labels() -> Mapping[str, Mapping[str, Mapping]]:
    return tomllib.loads((CORPUS / "labels.toml").read_text())
