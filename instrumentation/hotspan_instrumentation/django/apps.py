"""The Django application that instruments the process it is set up in."""

from types import ModuleType

from django.apps import AppConfig

from hotspan_instrumentation import configure
from hotspan_instrumentation.guard import guarded


class HotspanConfig(AppConfig):  # type: ignore[misc]  # Django is untyped
    """Instruments a process that nobody has instrumented yet, however it was started."""

    name = "hotspan_instrumentation.django"
    label = "hotspan"
    verbose_name = "hotspan"

    def __init__(self, app_name: str, app_module: ModuleType | None) -> None:
        super().__init__(app_name, app_module)
        # Not in `ready`: other applications' models and `ready` come before ours, and may use what
        # is to be instrumented.
        guarded(configure)()
