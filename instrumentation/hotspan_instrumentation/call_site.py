"""Which line of the application made a call: the first frame that is not a library's."""

import contextvars
import os
import sys
import sysconfig
from collections.abc import Collection
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Final

from opentelemetry.semconv.attributes.code_attributes import (
    CODE_FILE_PATH,
    CODE_FUNCTION_NAME,
    CODE_LINE_NUMBER,
)

from hotspan_instrumentation.attribute_group import AttributeGroup

# Code made at run time may have ever new file names; the caches start anew at these sizes.
_MAX_CACHED_FILES: Final = 20_000
_MAX_CACHED_SITES: Final = 5_000

_CALLERS_CALLER: Final = 2  # in frames

# How a file is remembered: its absolute path, or one of these, which no path can be.
_LIBRARY: Final = ""
_ASGIREF: Final = "?"

_ASGIREF_FILE: Final = f"asgiref{os.sep}sync.py"
_INSTALLED_MARKS: Final = (
    f"{os.sep}site-packages{os.sep}",
    f"{os.sep}dist-packages{os.sep}",
    f".whl{os.sep}",  # a pex runs from unpacked wheels
)
_SOURCE_SUFFIXES: Final = frozenset({"", ".py", ".pyw"})


@dataclass(frozen=True, slots=True)
class CallSite:
    """A line of code: an absolute path, a line number, a qualified name."""

    path: str
    line: int
    function: str
    group: AttributeGroup = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        group = AttributeGroup(
            {
                CODE_FILE_PATH: self.path,
                CODE_LINE_NUMBER: self.line,
                CODE_FUNCTION_NAME: self.function,
            }
        )
        object.__setattr__(self, "group", group)


# Where something was found the last time: how many frames out, in which code, at which place in
# it, and what it is called.
KnownPlace = tuple[int, CodeType, int, CallSite]

# The site that awaits what asgiref runs in a thread: that thread's own stack does not show it.
_awaiting: contextvars.ContextVar[CallSite | None] = contextvars.ContextVar(
    "hotspan_awaiting", default=None
)


class CallSiteFinder:
    """Find the application's frame in a stack.

    A folder is no library because it lies below `sys.prefix`: a project may be in /usr/src/app, or
    in the very folder of its virtual environment. Installed packages, the standard library and the
    interpreter's scripts are. An editable install is the application's.

    Args:
        application_packages: Top-level packages that count as the application although installed.

    """

    __slots__ = ("_application_packages", "_files", "_library_folders", "_sites")

    def __init__(self, *, application_packages: Collection[str] = ()) -> None:
        self._application_packages = frozenset(application_packages)
        self._library_folders = _library_folders()
        self._files: dict[str, str] = {}
        # By the place in a code object, which is held so that its id stays its own.
        self._sites: dict[tuple[int, int], tuple[CodeType, CallSite]] = {}

    def find(self, frame: FrameType | None) -> CallSite | None:
        """Return the first application frame from `frame` outwards, or None."""
        return self._look(frame)[0]

    def find_again(self, known: KnownPlace | None) -> tuple[CallSite | None, KnownPlace | None]:
        """Return the first application frame above the caller's, and its place for the next time.

        A statement comes from the same line over and over, through the same library's frames.
        Python makes an object of each frame that is looked at, which is most of what a call site
        costs: where the same place in the code is as far out as it was the last time, those
        between are passed over.

        Args:
            known: The place that was returned the last time.

        """
        if known is not None:
            depth, code, instruction, site = known
            try:
                frame = sys._getframe(depth)  # noqa: SLF001 - nothing else is as fast
            except ValueError:  # the stack is not that deep
                frame = None
            if frame is not None and frame.f_code is code and frame.f_lasti == instruction:
                return site, known
        found, frame, depth = self._look(sys._getframe(_CALLERS_CALLER))  # noqa: SLF001 - likewise
        if found is None or frame is None:
            return found, None
        return found, (depth + _CALLERS_CALLER, frame.f_code, frame.f_lasti, found)

    def _look(self, frame: FrameType | None) -> tuple[CallSite | None, FrameType | None, int]:
        """Return the first site from a frame outwards, its frame, and how far out that is."""
        files = self._files
        depth = 0
        while frame is not None:
            code = frame.f_code
            kind = files.get(code.co_filename)
            if kind is None:
                kind = self._remember(frame)
            if kind == _ASGIREF:
                if code.co_name == "thread_handler":
                    return _awaiting.get(), None, depth
            elif kind:
                known = self._sites.get((id(code), frame.f_lasti))
                return known[1] if known else self._remember_site(frame, kind), frame, depth
            frame = frame.f_back
            depth += 1
        return None, None, depth

    def _remember_site(self, frame: FrameType, path: str) -> CallSite:
        if len(self._sites) >= _MAX_CACHED_SITES:
            self._sites.clear()
        code = frame.f_code
        module = frame.f_globals.get("__name__", "")
        site = CallSite(path, frame.f_lineno, f"{module}.{code.co_qualname}")
        self._sites[id(code), frame.f_lasti] = (code, site)
        return site

    def remember_awaiting(self, frame: FrameType | None) -> None:
        """Keep the site that is about to await a function that asgiref runs in a thread."""
        _awaiting.set(self.find(frame))

    def _remember(self, frame: FrameType) -> str:
        if len(self._files) >= _MAX_CACHED_FILES:
            self._files.clear()
        kind = self._classify(frame)
        self._files[frame.f_code.co_filename] = kind
        return kind

    def _classify(self, frame: FrameType) -> str:
        name = frame.f_code.co_filename
        if name.endswith(_ASGIREF_FILE):
            return _ASGIREF
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package in self._application_packages:
            return os.path.abspath(name)  # noqa: PTH100 - pathlib is not for hot paths
        # A template's frame has the line of the code made of it, not the template's.
        if name.startswith("<") or os.path.splitext(name)[1] not in _SOURCE_SUFFIXES:  # noqa: PTH122
            return _LIBRARY
        path = os.path.abspath(name)  # noqa: PTH100
        if path.startswith(self._library_folders) or any(m in path for m in _INSTALLED_MARKS):
            return _LIBRARY
        return path


def _library_folders() -> tuple[str, ...]:
    names = ("stdlib", "platstdlib", "purelib", "platlib", "scripts")
    folders = {sysconfig.get_path(name) for name in names}
    folders.add(os.path.dirname(os.__file__))  # noqa: PTH120 - the base's, in a virtual environment
    folders.add(os.path.dirname(sys.executable))  # noqa: PTH120
    folders.add(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    known = {folder for folder in folders if folder}  # an embedded interpreter has no executable
    both = known | {os.path.realpath(folder) for folder in known}
    return tuple(sorted(f"{folder}{os.sep}" for folder in both))
