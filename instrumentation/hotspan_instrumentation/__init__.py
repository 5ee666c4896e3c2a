"""OpenTelemetry for Django and Celery, as hotspan needs it.

Three ways lead into a process: `opentelemetry-instrument <command>` finds the distro by its entry
point; `INSTALLED_APPS += ["hotspan_instrumentation.django"]`; and `configure()`.
`python -m hotspan_instrumentation doctor` says what that does in an environment.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hotspan_instrumentation.settings import Settings

__all__ = ["configure"]


def configure(*, settings: "Settings | None" = None) -> None:
    """Instrument this process: set up the OpenTelemetry SDK, its instrumentors, and hotspan.

    To be called as early as can be: before the libraries that are to be instrumented are used, and
    in each process of its own (forked children have it from their parent). Called again, or in a
    process that `opentelemetry-instrument` or the Django application has instrumented, it does
    nothing. What OpenTelemetry has variables for is set by these, and by nothing here.

    Args:
        settings: In the place of the HOTSPAN_* variables, which are then not read.

    """
    # Nothing is imported with the package: it costs nothing where only a part of it is needed.
    from hotspan_instrumentation.distro import instrument_process  # noqa: PLC0415
    from hotspan_instrumentation.settings import use_settings  # noqa: PLC0415

    if settings is not None:
        use_settings(settings)
    instrument_process()
