"""The entry points that `opentelemetry-instrument` finds."""

import logging
import os
from typing import Any

from opentelemetry import trace
from opentelemetry.instrumentation.dependencies import DependencyConflictError
from opentelemetry.instrumentation.distro import (  # type: ignore[attr-defined]  # untyped file
    BaseDistro,
)
from opentelemetry.sdk._configuration import _OTelSDKConfigurator
from opentelemetry.sdk.environment_variables import OTEL_CONFIG_FILE
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.util._importlib_metadata import EntryPoint

from hotspan_instrumentation.celery_spans import CeleryProcessor
from hotspan_instrumentation.client_calls import ClientCallProcessor
from hotspan_instrumentation.defaults import apply_defaults
from hotspan_instrumentation.entry import EntryProcessor
from hotspan_instrumentation.error_texts import ErrorTextProcessor
from hotspan_instrumentation.integrations import install_integrations
from hotspan_instrumentation.integrations.django import instrument_at_setup
from hotspan_instrumentation.keyed_hash import share_hash_key
from hotspan_instrumentation.process_resource import follow_forks, resource_attributes
from hotspan_instrumentation.processors import CallSiteProcessor, ExportProcessor, shared_finder
from hotspan_instrumentation.settings import current_settings
from hotspan_instrumentation.url_masking import UrlMaskingProcessor

_logger = logging.getLogger(__name__)


class HotspanDistro(BaseDistro):  # type: ignore[misc]  # upstream is untyped
    """Sets defaults, and loads the stock instrumentors so that one's failure is its own."""

    def _configure(self, **kwargs: object) -> None:
        del kwargs
        apply_defaults(os.environ)

    def load_instrumentor(self, entry_point: EntryPoint, **kwargs: Any) -> None:  # noqa: ANN401
        """Instrument one library.

        Raises:
            ImportError: Its library is absent.
            DependencyConflictError: Its library has a version that is not supported.

        """
        try:
            if entry_point.name == "django":
                instrumentor = entry_point.load()
                instrument_at_setup(lambda: instrumentor().instrument(**kwargs))
            else:
                super().load_instrumentor(entry_point, **kwargs)
        except (ImportError, DependencyConflictError):
            raise
        except Exception:  # upstream gives up on all that follow
            _logger.exception("Instrumenting %s failed; it is left as it is", entry_point.name)


class HotspanConfigurator(_OTelSDKConfigurator):
    """Configures the SDK as its variables say, with hotspan's processors in it."""

    def _configure(self, **kwargs: Any) -> None:  # noqa: ANN401 - upstream's
        if not os.environ.get(OTEL_CONFIG_FILE):
            kwargs.setdefault("export_span_processor", ExportProcessor)
            kwargs.setdefault("resource_attributes", resource_attributes())
        super()._configure(**kwargs)  # type: ignore[no-untyped-call]  # upstream
        provider = trace.get_tracer_provider()
        if isinstance(provider, TracerProvider):
            _extend(provider)
        install_integrations()


def _extend(provider: TracerProvider) -> None:
    if current_settings().entries:
        provider.add_span_processor(EntryProcessor())
    if current_settings().database:
        share_hash_key()
        provider.add_span_processor(ErrorTextProcessor())
    if current_settings().call_site:
        provider.add_span_processor(CallSiteProcessor(shared_finder()))
    if current_settings().celery_tasks:
        provider.add_span_processor(CeleryProcessor())
    if current_settings().client_calls:
        provider.add_span_processor(ClientCallProcessor())
    if not current_settings().url_values:
        provider.add_span_processor(UrlMaskingProcessor())
    follow_forks(provider)
