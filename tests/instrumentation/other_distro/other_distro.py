"""Another vendor's distro: it sets up the SDK by itself, and knows nothing of hotspan."""

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.distro import BaseDistro
from opentelemetry.sdk._configuration import _BaseConfigurator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


class OtherDistro(BaseDistro):
    def _configure(self, **kwargs):
        pass


class OtherConfigurator(_BaseConfigurator):
    def _configure(self, **kwargs):
        provider = TracerProvider(resource=Resource.create({"telemetry.distro.name": "other"}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        trace.set_tracer_provider(provider)
