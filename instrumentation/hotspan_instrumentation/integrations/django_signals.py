"""Django's signals: the view that saves a model does not show what their receivers do."""

import functools
import sys
import time
from collections.abc import Callable, Iterable
from functools import cache
from types import MethodType, ModuleType
from typing import Any, Final

from hotspan_instrumentation.client_calls import active_signal
from hotspan_instrumentation.entry import current_entry
from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.settings import current_settings

MODULE: Final = "django.db.models.signals"

_NAMED_IN: Final = (
    MODULE,
    "django.core.signals",
    "django.contrib.auth.signals",
    "django.test.signals",
)
# Sent for every instance that is loaded.
_TOO_MANY: Final = ("pre_init", "post_init")
_NS_PER_MS: Final = 1_000_000


def install(module: ModuleType) -> None:
    """Wrap the sending of signals that have receivers."""
    if not current_settings().signals:
        return
    from django.dispatch import dispatcher  # noqa: PLC0415 - imported by then

    signal = dispatcher.Signal
    for name in _TOO_MANY:
        instance = getattr(module, name)
        for method in ("send", "send_robust"):
            setattr(instance, method, MethodType(getattr(signal, method), instance))
    signal.send = _wrapped(signal.send)
    signal.send_robust = _wrapped(signal.send_robust)
    if hasattr(signal, "asend"):  # Django 5.0
        signal.asend = _wrapped_async(signal.asend)
        signal.asend_robust = _wrapped_async(signal.asend_robust)


def _wrapped(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def send(self: Any, sender: Any, **named: Any) -> Any:  # noqa: ANN401 - Django's signature
        if not self.receivers:
            return original(self, sender, **named)
        name, outer = _enter(self) or ("signal", None)
        started_ns = time.perf_counter_ns()
        try:
            return original(self, sender, **named)
        finally:
            active_signal.set(outer)
            _note(self, sender, name, time.perf_counter_ns() - started_ns)

    return send


def _wrapped_async(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def send(self: Any, sender: Any, **named: Any) -> Any:  # noqa: ANN401 - Django's signature
        if not self.receivers:
            return await original(self, sender, **named)
        name, outer = _enter(self) or ("signal", None)
        started_ns = time.perf_counter_ns()
        try:
            return await original(self, sender, **named)
        finally:
            active_signal.set(outer)
            _note(self, sender, name, time.perf_counter_ns() - started_ns)

    return send


@guarded
def _enter(signal: object) -> tuple[str, str | None]:
    """Return the signal's name, and that of the one whose receiver sends it."""
    outer = active_signal.get()
    name = _name(signal)
    active_signal.set(name)
    return name, outer


@guarded
def _note(signal: Any, sender: Any, name: str, elapsed_ns: int) -> None:  # noqa: ANN401
    elapsed_ms = elapsed_ns / _NS_PER_MS
    entry = current_entry()
    if entry is None or elapsed_ms < current_settings().signal_min_ms:
        return
    entry.add(f"hotspan.signal.{name}.time_ms", round(elapsed_ms, 3))
    live = signal._live_receivers(sender)  # noqa: SLF001 - no public way
    entry.set(f"hotspan.signal.{name}.receivers", sorted(_receiver_names(live)))


def _receiver_names(live: Iterable[Any]) -> set[str]:
    """Return names of receivers: of a list, or since Django 5.0 of one sync and one async."""
    names: set[str] = set()
    for each in live:
        if isinstance(each, list):
            names |= _receiver_names(each)
        elif callable(each):
            function = getattr(each, "__func__", each)
            qualified = getattr(function, "__qualname__", type(each).__qualname__)
            names.add(f"{function.__module__}.{qualified}")
    return names


@cache
def _name(signal: object) -> str:
    """Return the name of Django's own signals, and the class of others: signals have no names."""
    for module in map(sys.modules.get, _NAMED_IN):
        for name, value in vars(module).items() if module else ():
            if value is signal:
                return name
    return type(signal).__name__
