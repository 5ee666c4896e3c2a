"""The entry points that `opentelemetry-instrument` finds, and the same by a call."""

import logging
import os
from typing import Any

from opentelemetry import trace
from opentelemetry.instrumentation.auto_instrumentation._load import _load_instrumentors
from opentelemetry.instrumentation.dependencies import DependencyConflictError
from opentelemetry.instrumentation.distro import (  # type: ignore[attr-defined]  # untyped file
    BaseDistro,
)
from opentelemetry.instrumentation.version import __version__
from opentelemetry.sdk._configuration import _OTelSDKConfigurator
from opentelemetry.sdk.environment_variables import OTEL_CONFIG_FILE
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.util._importlib_metadata import EntryPoint

from hotspan_instrumentation.defaults import apply_defaults
from hotspan_instrumentation.gevent_patch import patch_if_asked_for
from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.installation import install, is_installed
from hotspan_instrumentation.process_resource import resource_attributes
from hotspan_instrumentation.processors import ExportProcessor

_logger = logging.getLogger(__name__)


class HotspanDistro(BaseDistro):  # type: ignore[misc]  # upstream is untyped
    """Sets defaults, and loads the stock instrumentors so that one's failure is its own."""

    def _configure(self, **kwargs: object) -> None:
        del kwargs
        guarded(patch_if_asked_for)()
        apply_defaults(os.environ)

    def load_instrumentor(self, entry_point: EntryPoint, **kwargs: Any) -> None:  # noqa: ANN401
        """Instrument one library, unless it has been.

        Raises:
            ImportError: Its library is absent.
            DependencyConflictError: Its library has a version that is not supported.

        """
        try:
            instrumentor = entry_point.load()()
            if not instrumentor.is_instrumented_by_opentelemetry:
                instrumentor.instrument(**kwargs)
        except (ImportError, DependencyConflictError):
            raise
        except Exception:  # upstream gives up on all that follow
            _logger.exception("Instrumenting %s failed; it is left as it is", entry_point.name)


class HotspanConfigurator(_OTelSDKConfigurator):
    """Configures the SDK as its variables say, with hotspan's processors in it."""

    def _configure(self, **kwargs: Any) -> None:  # noqa: ANN401 - upstream's
        if os.environ.get(OTEL_CONFIG_FILE):
            kwargs.clear()  # the file says it all, and upstream would warn of what it leaves out
        else:
            kwargs.setdefault("export_span_processor", ExportProcessor)
            kwargs.setdefault("resource_attributes", resource_attributes())
        super()._configure(**kwargs)  # type: ignore[no-untyped-call]  # upstream
        install()


def instrument_process() -> None:
    """Do in this process what `opentelemetry-instrument` does when one starts.

    A tracer provider that somebody else has set stays, with its exporters; hotspan is added to it.
    """
    if is_installed():
        return
    distro = HotspanDistro()
    if isinstance(trace.get_tracer_provider(), TracerProvider):
        install()
    else:
        distro.configure()
        HotspanConfigurator().configure(auto_instrumentation_version=__version__)  # type: ignore[no-untyped-call]  # upstream
    _load_instrumentors(distro)  # type: ignore[no-untyped-call]  # likewise
