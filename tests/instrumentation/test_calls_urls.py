"""What is left of a URL."""

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from hotspan_instrumentation.url_masking import UrlMaskingProcessor, mask_query, mask_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://shop.example/books/7", "https://shop.example/books/7"),
        ("https://me:secret@shop.example/", "https://REDACTED@shop.example/"),
        ("https://me@shop.example/", "https://REDACTED@shop.example/"),
        ("https://shop.example/@me?to=you@there", "https://shop.example/@me?to=REDACTED"),
        ("/books?sort=title&q=#top", "/books?sort=REDACTED&q=#top"),
        ("/books?flag", "/books?flag"),
        (
            "exceeded with url: /hook?token=secret (Caused by X('to=7'))",
            "exceeded with url: /hook?token=REDACTED (Caused by X('to=7'))",
        ),
        ("redis://:secret@127.0.0.1:6379/0 is down", "redis://REDACTED@127.0.0.1:6379/0 is down"),
    ],
)
def test_masked_text(text, expected):
    """Credentials and values of queries go; hosts, paths, names of values and other text stay."""
    assert mask_text(text) == expected


def test_masked_query():
    """A query without its URL is masked alike."""
    assert mask_query("token=secret&sort=&flag") == "token=REDACTED&sort=&flag"


def test_masked_span():
    """A span leaves without secrets in its attributes, its exceptions and its status."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(UrlMaskingProcessor())
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    url = "https://me:secret@shop.example/?token=secret"
    error = ConnectionError(f"no answer from {url}")
    with (
        pytest.raises(ConnectionError),
        provider.get_tracer("test").start_as_current_span(
            "POST", kind=SpanKind.CLIENT, attributes={"url.full": url, "url.query": "a=secret"}
        ),
    ):
        raise error

    (span,) = exporter.get_finished_spans()
    assert span.attributes["url.full"] == "https://REDACTED@shop.example/?token=REDACTED"
    assert "no answer from https://REDACTED@shop" in span.status.description
    assert "secret" not in span.to_json()
