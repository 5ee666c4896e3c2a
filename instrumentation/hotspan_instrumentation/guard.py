"""What stands between our hooks and the user's code: an error in ours ends here."""

import functools
import logging
from collections import Counter
from collections.abc import Callable
from typing import ParamSpec, TypeVar

_logger = logging.getLogger(__name__)

_P = ParamSpec("_P")
_R = TypeVar("_R")

# How often each hook has failed in this process.
failures: Counter[str] = Counter()


def guarded(hook: Callable[_P, _R]) -> Callable[_P, _R | None]:
    """Make a hook return None instead of raising, count its failure, and log its first one."""
    name = f"{hook.__module__}.{hook.__qualname__}"

    @functools.wraps(hook)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R | None:
        try:
            return hook(*args, **kwargs)
        except Exception:  # noqa: BLE001 - whatever it is, it is not the user's
            report_failure(name)
            return None

    return call


def report_failure(hook: str) -> None:
    """Count the failure of a hook, in an except block; its first one is logged."""
    failures[hook] += 1
    if failures[hook] == 1:
        _logger.warning(
            "hotspan's hook %s failed; your code went on, its spans lack what the hook adds. "
            "This is logged once a process; please report it with the traceback",
            hook,
            exc_info=True,  # noqa: LOG014 - called in except blocks
        )
