"""Django's signals: the view that saves a model does not show what their receivers do."""

import functools
import sys
import time
from collections.abc import Callable, Iterable
from functools import cache
from types import MethodType, ModuleType
from typing import Any, Final

from hotspan_instrumentation.client_calls import HTTP_CALLS, active_signal
from hotspan_instrumentation.entry import DB_QUERIES, current_entry
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
        sending = _enter(self)
        try:
            return original(self, sender, **named)
        finally:
            _leave(sending, sender)

    return send


def _wrapped_async(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def send(self: Any, sender: Any, **named: Any) -> Any:  # noqa: ANN401 - Django's signature
        if not self.receivers:
            return await original(self, sender, **named)
        sending = _enter(self)
        try:
            return await original(self, sender, **named)
        finally:
            _leave(sending, sender)

    return send


class _Sending:
    """A signal whose receivers are at work, and what its entry had counted before.

    `outer` is the signal whose receiver sends it.
    """

    __slots__ = ("calls", "entry", "name", "outer", "queries", "signal", "started_ns")

    def __init__(self, signal: Any) -> None:  # noqa: ANN401
        self.signal = signal
        self.name = _name(signal)
        self.outer = active_signal.get()
        self.entry = entry = current_entry()
        self.queries = entry.counted(DB_QUERIES) if entry else 0
        self.calls = entry.counted(HTTP_CALLS) if entry else 0
        self.started_ns = time.perf_counter_ns()


@guarded
def _enter(signal: object) -> _Sending:
    sending = _Sending(signal)
    active_signal.set(sending.name)
    return sending


@guarded
def _leave(sending: _Sending | None, sender: Any) -> None:  # noqa: ANN401
    if sending is None:  # entering has failed
        return
    active_signal.set(sending.outer)
    entry = sending.entry
    if entry is None or entry.ended:
        return
    elapsed_ms = (time.perf_counter_ns() - sending.started_ns) / _NS_PER_MS
    queries = entry.counted(DB_QUERIES) - sending.queries
    calls = entry.counted(HTTP_CALLS) - sending.calls
    if not queries and not calls and elapsed_ms < current_settings().signal_min_ms:
        return
    prefix = f"hotspan.signal.{sending.name}"
    counted = {"queries": queries, "calls": calls, "time_ms": round(elapsed_ms, 3)}
    entry.add_all({f"{prefix}.{name}": value for name, value in counted.items() if value})
    live = sending.signal._live_receivers(sender)  # noqa: SLF001 - no public way
    entry.set(f"{prefix}.receivers", sorted(_receiver_names(live)))


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
