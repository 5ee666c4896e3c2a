"""Putting hotspan into a process: once, whichever of the ways leads there first.

A distro's configurator, `configure()`, the Django application, and the hook that OpenTelemetry's
loader calls before it loads instrumentors all end in `install`.
"""

import logging
import os
from typing import Final

from opentelemetry import trace
from opentelemetry.sdk.environment_variables import OTEL_SDK_DISABLED
from opentelemetry.sdk.trace import TracerProvider

from hotspan_instrumentation.celery_spans import CeleryProcessor
from hotspan_instrumentation.client_calls import ClientCallProcessor
from hotspan_instrumentation.entry import EntryProcessor
from hotspan_instrumentation.error_texts import ErrorTextProcessor
from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.integrations import (
    install_django_instrumentation,
    install_integrations,
)
from hotspan_instrumentation.keyed_hash import share_hash_key
from hotspan_instrumentation.process_resource import follow_forks
from hotspan_instrumentation.processors import CallSiteProcessor, shared_finder
from hotspan_instrumentation.settings import current_settings
from hotspan_instrumentation.url_masking import UrlMaskingProcessor

_logger = logging.getLogger(__name__)

_NAME: Final = "hotspan"

_installed = False


def is_installed() -> bool:
    """Whether this process, or the one it was forked from, has hotspan in it."""
    return _installed


def install() -> None:
    """Add hotspan to the SDK's tracer provider and to libraries, unless that has been done."""
    global _installed  # noqa: PLW0603 - a fact about the process
    if _installed:
        return
    install_django_instrumentation()
    if _is_disabled():
        return
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        _logger.warning(
            "hotspan found no tracer provider of the OpenTelemetry SDK (but %s), and adds nothing. "
            "Set OTEL_PYTHON_CONFIGURATOR=hotspan, or call hotspan_instrumentation.configure()",
            type(provider).__qualname__,
        )
        return
    _installed = True
    _extend(provider)
    install_integrations()


@guarded
def install_beside_another_distro() -> None:
    """Do so where instrumentors are about to be loaded, by whichever distro."""
    install()


def _is_disabled() -> bool:
    """Whether OpenTelemetry's own variables say that nothing is to be done."""
    if os.environ.get(OTEL_SDK_DISABLED, "").strip().lower() == "true":
        return True
    names = os.environ.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "").split(",")
    return _NAME in {name.strip() for name in names}


def _extend(provider: TracerProvider) -> None:
    settings = current_settings()
    if settings.entries:
        provider.add_span_processor(EntryProcessor())
    if settings.database:
        share_hash_key()
        provider.add_span_processor(ErrorTextProcessor())
    if settings.call_site:
        provider.add_span_processor(CallSiteProcessor(shared_finder()))
    if settings.celery_tasks:
        provider.add_span_processor(CeleryProcessor())
    if settings.client_calls:
        provider.add_span_processor(ClientCallProcessor())
    if not settings.url_values:
        provider.add_span_processor(UrlMaskingProcessor())
    follow_forks(provider)
