"""The way to a call, for the few spans that show it."""

from types import FrameType
from typing import Final

_MAX_FRAMES: Final = 60
_OWN_MODULES: Final = ("hotspan_instrumentation", "opentelemetry", "wrapt")


def format_stack(frame: FrameType | None) -> str:
    """Return the frames from the outermost to `frame`, written as a traceback without its code.

    Frames of the instrumentation itself are left out, and of a long stack the outermost ones.
    """
    lines: list[str] = []
    while frame is not None and len(lines) < _MAX_FRAMES:
        module = frame.f_globals.get("__name__", "")
        if not module.startswith(_OWN_MODULES):
            code = frame.f_code
            lines.append(
                f'  File "{code.co_filename}", line {frame.f_lineno}, in {code.co_qualname}\n'
            )
        frame = frame.f_back
    return "".join(reversed(lines))
