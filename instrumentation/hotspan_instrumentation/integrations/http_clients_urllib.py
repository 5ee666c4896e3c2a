"""urllib: timeouts of `urlopen` and of openers."""

import functools
import socket
from types import ModuleType
from typing import Any, Final

from hotspan_instrumentation.client_calls import note_call, resolved_timeout_s
from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.settings import current_settings

MODULE: Final = "urllib.request"

_DEFAULT: Final[Any] = socket._GLOBAL_DEFAULT_TIMEOUT  # type: ignore[attr-defined]  # noqa: SLF001 - urllib's own


def install(module: ModuleType) -> None:
    """Wrap `OpenerDirector.open`, inside of the stock wrapper and its span."""
    if not current_settings().client_calls:
        return
    director = module.OpenerDirector
    original = director.open

    @functools.wraps(original)
    def open_(self: Any, fullurl: Any, data: Any = None, timeout: Any = _DEFAULT) -> Any:  # noqa: ANN401 - urllib's signature
        _note(timeout)
        return original(self, fullurl, data, timeout)

    director.open = open_


@guarded
def _note(timeout: object) -> None:
    note_call(timeout_s=resolved_timeout_s(timeout))
