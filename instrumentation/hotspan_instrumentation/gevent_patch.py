"""gevent: it has to patch before anything that is to be patched is imported.

A server's worker does so when it starts. By then, instrumentation that started with the interpreter
has imported Django and `ssl`, and requests would share what belongs to one of them: Django refuses
to use a database connection of "another thread".
"""

import logging
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import PurePath
from types import ModuleType
from typing import Final

_logger = logging.getLogger(__name__)

MODULE: Final = "gunicorn.workers.ggevent"

# How each program is told which kind of worker to use.
_OPTIONS: Final = {"gunicorn": ("-k", "--worker-class"), "celery": ("-P", "--pool")}
_GUNICORN_VARIABLE: Final = "GUNICORN_CMD_ARGS"


def patch_if_asked_for() -> None:
    """Let gevent patch now if this process is going to be a worker of gevent's."""
    if not is_asked_for(sys.orig_argv, os.environ):
        return
    from gevent import monkey  # noqa: PLC0415 - only where it is asked for

    if not monkey.is_module_patched("threading"):
        monkey.patch_all()


def is_asked_for(command: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Whether a command starts gunicorn or Celery with workers of gevent's."""
    programs = [PurePath(part).name for part in command]
    for program, options in _OPTIONS.items():
        if program not in programs:
            continue
        arguments = list(command)
        if program == "gunicorn":
            arguments += shlex.split(environment.get(_GUNICORN_VARIABLE, ""))
        if any("gevent" in value for value in _values(arguments, options)):
            return True
    return False


def _values(arguments: Sequence[str], options: tuple[str, str]) -> list[str]:
    """Return what follows an option: `-k gevent`, `-kgevent`, `--worker-class=gevent`."""
    short, long = options
    following = [value for name, value in pairwise(arguments) if name in options]
    joined = [each.removeprefix(short) for each in arguments if each.startswith(short)]
    assigned = [each.partition("=")[2] for each in arguments if each.startswith(f"{long}=")]
    return following + joined + assigned


def install(module: ModuleType) -> None:
    """Say what to do where a worker of gevent's starts that nobody could foresee."""
    del module
    from gevent import monkey  # noqa: PLC0415 - its worker has just imported it

    if "django.conf" in sys.modules and not monkey.is_module_patched("threading"):
        _logger.warning(
            "Django was imported before gevent patched, which breaks its database connections: set "
            "OTEL_PYTHON_AUTO_INSTRUMENTATION_EXPERIMENTAL_GEVENT_PATCH=patch_all, or name the "
            "worker class on gunicorn's command line"
        )
