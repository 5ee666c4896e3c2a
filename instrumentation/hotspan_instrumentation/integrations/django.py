"""Django: instrumented when it is set up, not when the interpreter starts.

The stock instrumentor reads the settings at once. With DJANGO_SETTINGS_MODULE set in manage.py
only, it finds none, configures empty ones, and the project does not start.
"""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from hotspan_instrumentation.guard import guarded

MODULE: Final = "opentelemetry.instrumentation.django"


def install(module: ModuleType) -> None:
    """Have the instrumentor wait until Django has its settings, whoever calls it."""
    instrumentor = module.DjangoInstrumentor
    original = instrumentor._instrument  # noqa: SLF001 - what upstream has its subclasses write

    @functools.wraps(original)
    def instrument(self: Any, **kwargs: Any) -> None:  # noqa: ANN401 - upstream's signature
        _with_settings(lambda: original(self, **kwargs))

    instrumentor._instrument = instrument  # noqa: SLF001 - likewise


def _with_settings(instrument: Callable[[], None]) -> None:
    """Call `instrument` now if the settings have been read; else before applications are loaded.

    That is a part of `django.setup()` which comes after the settings, so that it is not too late
    when these very settings ask for instrumentation.
    """
    from django.apps import apps  # noqa: PLC0415 - may be absent
    from django.conf import settings  # noqa: PLC0415

    if settings.configured:
        instrument()
        return
    original = apps.populate

    @functools.wraps(original)
    def populate(*args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own signature
        if apps.__dict__.pop("populate", None) is not None:
            guarded(instrument)()
        original(*args, **kwargs)

    apps.populate = populate
