"""The demo's processes: each in a group of its own, its output in a file."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hotspan_demo.errors import ChildDiedError, DemoError, StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["Child", "Command", "Supervisor", "stop_on_signals"]

POLL_S = 0.1
LAST_LINES = 20
LAST_BYTES = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """How to run a process, and how it is called when it fails."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    log: Path


@dataclass(frozen=True, slots=True)
class Child:
    """A process that runs."""

    command: Command
    popen: subprocess.Popen[bytes]
    log_from_byte: int

    def check(self) -> None:
        """Raise ChildDiedError when it has ended."""
        returncode = self.popen.poll()
        if returncode is not None:
            raise self.died(returncode)

    def died(self, returncode: int) -> ChildDiedError:
        return ChildDiedError(
            name=self.command.name,
            returncode=returncode,
            log=str(self.command.log),
            last_lines=self.last_lines(),
        )

    def last_lines(self) -> str:
        with self.command.log.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(self.log_from_byte, size - LAST_BYTES))
            text = log.read().decode(errors="replace")
        return "\n".join(text.splitlines()[-LAST_LINES:])

    def signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, number)


@dataclass(slots=True)
class Supervisor:
    """Starts processes, watches them, and ends all of them, whatever happens.

    Signals only set `stop`: no exception comes between starting a process and noting it down.
    """

    stop: threading.Event
    grace_s: float
    hurry: threading.Event = field(default_factory=threading.Event)
    children: list[Child] = field(default_factory=list)

    def start(self, command: Command) -> Child:
        self.check()
        command.log.parent.mkdir(parents=True, exist_ok=True)
        with command.log.open("ab") as log:
            child = Child(
                command=command,
                popen=subprocess.Popen(
                    dying_with_us(command.arguments),
                    env=command.environment,
                    cwd=command.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                ),
                log_from_byte=log.tell(),
            )
        self.children.append(child)
        return child

    def run(self, command: Command) -> None:
        """Run a process to its end.

        Raises:
            ChildDiedError: it failed.

        """
        child = self.start(command)
        while child.popen.poll() is None:
            self.pause()
        self.children.remove(child)
        if child.popen.returncode:
            raise child.died(child.popen.returncode)

    def check(self) -> None:
        """Raise when somebody wants the demo to stop, or a process has ended by itself."""
        if self.stop.is_set():
            raise StoppedError
        for child in self.children:
            # One that runs to its end is watched by run().
            if child.popen.poll():
                child.check()

    def pause(self, seconds: float = POLL_S) -> None:
        """Wait, and wake up at once when somebody wants the demo to stop."""
        self.stop.wait(seconds)
        self.check()

    def wait_until(self, ready: Callable[[], bool], *, what: str, within_s: float) -> None:
        """Wait until something is so.

        Raises:
            DemoError: it is not so in time.

        """
        deadline = time.monotonic() + within_s
        while not ready():
            if time.monotonic() > deadline:
                raise DemoError(
                    f"{what} did not answer within {within_s:g} s. Its output is in the folder "
                    f"of logs; is the machine busy? Try --start-timeout."
                )
            self.pause()

    def end(self, children: Sequence[Child]) -> None:
        """End processes together: ask, wait, insist; their own children are never left behind."""
        for child in children:
            # Only the process itself: gunicorn and Celery know best how to end their workers.
            if child.popen.poll() is None:
                child.popen.terminate()
        deadline = time.monotonic() + self.grace_s
        while any(child.popen.poll() is None for child in children):
            if time.monotonic() > deadline or self.hurry.wait(POLL_S):
                break
        for child in children:
            child.signal_group(signal.SIGKILL)
            child.popen.wait()
        ended = list(children)
        self.children = [child for child in self.children if child not in ended]

    def end_all(self) -> None:
        """End all processes: the first that was started last, as the others send to it."""
        self.end(self.children[1:])
        self.end(self.children)


def dying_with_us(arguments: Sequence[str]) -> list[str]:
    """Let the kernel end a process when we are killed and cannot end it ourselves."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", *arguments] if setpriv else list(arguments)


@contextmanager
def stop_on_signals(supervisor: Supervisor) -> Iterator[None]:
    """Let SIGINT and SIGTERM set `stop`; the second one ends everything without waiting."""

    def note(_number: int, _frame: object) -> None:
        if supervisor.stop.is_set():
            supervisor.hurry.set()
        supervisor.stop.set()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, note) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
