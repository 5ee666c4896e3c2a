"""runserver's reloader: asked to end, it kills the server, whose last spans are lost."""

import subprocess
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Final

MODULE: Final = "django.utils.autoreload"

_SERVER_END_S: Final = 5


def install(module: Any) -> None:  # noqa: ANN401 - a module
    """Let the reloader, when it is asked to end, ask the server rather than kill it."""
    # What the reloader uses of it: `run`, to its end, and the status.
    module.subprocess = SimpleNamespace(**{**vars(subprocess), "run": _run})


def _run(arguments: Sequence[str], **options: Any) -> subprocess.CompletedProcess[bytes]:  # noqa: ANN401 - Popen's
    with subprocess.Popen(arguments, **options) as server:  # noqa: S603 - Django's own command
        try:
            status = server.wait()
        except BaseException:  # SystemExit by Django's handler of SIGTERM, KeyboardInterrupt
            _end(server)
            raise
    return subprocess.CompletedProcess(arguments, status)


def _end(server: "subprocess.Popen[bytes]") -> None:
    server.terminate()
    try:
        server.wait(_SERVER_END_S)
    except subprocess.TimeoutExpired:
        server.kill()
