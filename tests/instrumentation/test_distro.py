"""The distro, where a stock one would give up."""

import sys
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

from hotspan_instrumentation.distro import HotspanDistro


def _instrumentor(monkeypatch, error: Exception) -> EntryPoint:
    def instrumentor():
        raise error

    module = ModuleType("broken_instrumentor")
    module.instrumentor = instrumentor
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return EntryPoint("broken", f"{module.__name__}:instrumentor", "opentelemetry_instrumentor")


def test_failing_instrumentor(monkeypatch, caplog):
    """An instrumentor that fails is logged and skipped; those after it get their turn."""
    HotspanDistro().load_instrumentor(_instrumentor(monkeypatch, ValueError("theirs")))

    assert "Instrumenting broken failed; it is left as it is" in caplog.text
    assert "ValueError: theirs" in caplog.text


def test_absent_library(monkeypatch):
    """An absent library is reported to the loader, which knows that it is no error."""
    entry_point = _instrumentor(monkeypatch, ModuleNotFoundError("no such library"))

    with pytest.raises(ModuleNotFoundError):
        HotspanDistro().load_instrumentor(entry_point)
