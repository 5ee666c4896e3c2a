"""The UI as its users start it: a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from support.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

START_S = 60
STOP_S = 60
_COMMAND = "import typer; from hotspan_ui.command import ui; typer.run(ui)"


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start `hotspan ui` with these arguments, in a clean environment."""
    inherited = {name: value for name, value in os.environ.items() if "HOTSPAN" not in name}
    return subprocess.Popen(
        [sys.executable, "-c", _COMMAND, *arguments],
        env=inherited | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def end(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> str:
    """End the process as a service manager would; the answer is what it printed."""
    process.send_signal(number)
    try:
        return process.communicate(timeout=STOP_S)[0]
    finally:
        process.kill()


def wait_until_ready(process: subprocess.Popen[str], url: str) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"The UI ended: {process.communicate()[0]}")
        try:
            if httpx.get(f"{url}/_stcore/health", trust_env=False, timeout=30).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"The UI did not answer in {START_S} s")


@contextmanager
def running(api_url: str, **environment: str) -> Iterator[str]:
    """Run the UI until the block ends; the answer is its URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = start("--port", str(port), "--api-url", api_url, **environment)
    try:
        wait_until_ready(process, url)
        yield url
    finally:
        end(process)
