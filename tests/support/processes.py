"""Commands that tests run: started, waited for, ended by their pid."""

import contextlib
import itertools
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

_POLL_INTERVAL_S = 0.05


class ProcessError(Exception):
    """A command did not do what a test waited for."""


def _ports() -> Iterator[int]:
    # Below those that the kernel gives to outgoing connections, and a part for each pytest-xdist
    # worker: nobody else takes one between the question and its use.
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    part = range(12_000 + worker % 4 * 5_000, 17_000 + worker % 4 * 5_000)
    yield from itertools.cycle(random.sample(part, len(part)))


_PORTS = _ports()


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on."""
    for port in _PORTS:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise ProcessError("no port is free")


def _dying_with_parent(command: Sequence[str]) -> list[str]:
    """Let the kernel end the command when pytest is killed and cannot clean up."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", *command] if setpriv else list(command)


class Process:
    """A command in a process group of its own, with its output in a file.

    Args:
        command: The program and its arguments.
        log_path: Where standard output and errors go; appended to, so that a restart keeps it.
        env: Variables added to this process's environment; None as a value removes one.
        cwd: The folder to run in.
        user: The account to run as; only root may name one.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log_path: Path,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
    ) -> None:
        self.command = [str(part) for part in command]
        self.log_path = log_path
        self._env = _environment(env or {})
        self._cwd = cwd
        self._user = user
        self._popen: subprocess.Popen[bytes] | None = None
        self._log_start_bytes = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.terminate()

    @property
    def pid(self) -> int:
        """The process id. The process must have been started."""
        return self._running().pid

    @property
    def returncode(self) -> int | None:
        """The exit status, or None while it runs."""
        return self._running().poll()

    @property
    def is_running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def start(self) -> None:
        """Start the command; also again, after it has ended."""
        if self.is_running:
            raise ProcessError(f"{self.command[0]} runs already; end it first")
        self._log_start_bytes = self.log_path.stat().st_size if self.log_path.exists() else 0
        with self.log_path.open("ab") as log:
            self._popen = subprocess.Popen(
                _dying_with_parent(self.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd=self._cwd,
                user=self._user,
                group=self._user,
                extra_groups=[] if self._user else None,
                start_new_session=True,
            )

    def output(self) -> str:
        """Return what the command has written since its last start."""
        with self.log_path.open("rb") as log:
            log.seek(self._log_start_bytes)
            return log.read().decode(errors="replace")

    def last_lines(self, count: int = 30) -> str:
        """Return the end of the output."""
        return "\n".join(self.output().splitlines()[-count:])

    def wait_for_line(self, pattern: str, *, timeout_s: float = 60) -> re.Match[str]:
        """Wait until a line of the output matches a regular expression, and return the match.

        Raises:
            ProcessError: The command ended, or the time is over, without such a line.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            ended = not self.is_running
            if match := re.search(pattern, self.output(), re.MULTILINE):
                return match
            self._wait_on(f"a line like {pattern!r}", deadline=deadline, ended=ended)

    def wait_for_url(self, url: str, *, status: int = 200, timeout_s: float = 60) -> None:
        """Wait until a URL answers with a status.

        Raises:
            ProcessError: The command ended, or the time is over, before it did.
        """
        deadline = time.monotonic() + timeout_s
        with httpx.Client(trust_env=False, timeout=5) as client:
            while not _answers(client, url, status=status):
                self._wait_on(url, deadline=deadline, ended=not self.is_running)

    def wait_for_port(self, port: int, *, timeout_s: float = 60) -> None:
        """Wait until a port of 127.0.0.1 accepts connections.

        Raises:
            ProcessError: The command ended, or the time is over, before it did.
        """
        deadline = time.monotonic() + timeout_s
        while not _accepts(port):
            self._wait_on(f"port {port}", deadline=deadline, ended=not self.is_running)

    def wait(self, *, timeout_s: float = 60) -> int:
        """Wait for the command's own end and return its exit status.

        Raises:
            ProcessError: It still runs.
        """
        try:
            return self._running().wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise ProcessError(self._report(f"still runs after {timeout_s} s")) from None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process, not to its children."""
        self._running().send_signal(number)

    def terminate(self, *, timeout_s: float = 30) -> None:
        """Ask it to end, then insist, with all that it started. Does nothing when it has ended."""
        if self._popen is None:
            return
        self._popen.terminate()
        try:
            self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self.kill()

    def kill(self) -> None:
        """End it at once, with all that it started: what a crash or the OOM killer does."""
        if self._popen is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._popen is None:
            raise ProcessError(f"{self.command[0]} was not started; call start() first")
        return self._popen

    def _wait_on(self, what: str, *, deadline: float, ended: bool) -> None:
        if ended:
            raise ProcessError(self._report(f"ended with {self.returncode}, waiting for {what}"))
        if time.monotonic() > deadline:
            raise ProcessError(self._report(f"gave no {what} in time"))
        time.sleep(_POLL_INTERVAL_S)

    def _report(self, problem: str) -> str:
        return f"{' '.join(self.command)[:200]} {problem}. Its last lines:\n{self.last_lines()}"


def _environment(changes: Mapping[str, str | None]) -> dict[str, str]:
    merged = {**os.environ, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def _answers(client: httpx.Client, url: str, *, status: int) -> bool:
    try:
        return client.get(url).status_code == status
    except httpx.TransportError:
        return False


def _accepts(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
