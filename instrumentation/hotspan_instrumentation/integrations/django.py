"""Django: instrumented when it is set up, not when the interpreter starts.

The stock instrumentor reads the settings at once. With DJANGO_SETTINGS_MODULE set in manage.py
only, it finds none, configures empty ones, and the project does not start.
"""

import functools
from collections.abc import Callable
from typing import Any

from hotspan_instrumentation.guard import guarded


def instrument_at_setup(instrument: Callable[[], None]) -> None:
    """Call `instrument` once: when django.setup() is called, or now if it has been.

    Raises:
        ModuleNotFoundError: Django is not installed.

    """
    import django  # noqa: PLC0415 - may be absent
    from django.apps import apps  # noqa: PLC0415

    if apps.ready:
        instrument()
        return
    original = django.setup
    pending = [instrument]

    @guarded
    def instrument_once() -> None:
        if pending and _settings_load():
            pending.pop()()

    @functools.wraps(original)
    def setup(*args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own signature
        instrument_once()
        original(*args, **kwargs)

    django.setup = setup


def _settings_load() -> bool:
    """Whether the settings can be read; if not, Django itself says why in a moment."""
    from django.conf import settings  # noqa: PLC0415

    try:
        _ = settings.MIDDLEWARE
    except Exception:  # noqa: BLE001 - the project's own code
        return False
    return True
