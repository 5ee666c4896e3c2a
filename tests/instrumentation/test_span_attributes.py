"""The quick ways of setting and encoding attributes end in the same spans as the usual ones."""

from opentelemetry.exporter.otlp.proto.common import _internal as encoding
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import SpanLimits, TracerProvider

from hotspan_instrumentation.integrations import otlp_encoding
from hotspan_instrumentation.span_attributes import add_attributes

ATTRIBUTES = {"text": "jane", "number": 1, "flag": True, "share": 1.0, "hotspan.db.param_hash": "a"}


def started(**limits):
    provider = TracerProvider(span_limits=SpanLimits(**limits), shutdown_on_exit=False)
    return provider.get_tracer("test").start_span("span")


def test_attributes_are_set():
    """What is set quickly is there, beside what was there before."""
    span = started()
    span.set_attribute("before", 1)
    add_attributes(span, ATTRIBUTES)

    assert dict(span.attributes) == {"before": 1, **ATTRIBUTES}


def test_the_users_limits_hold():
    """Limits of number and length that the user has set are kept."""
    few, short = started(max_span_attributes=2), started(max_span_attribute_length=2)
    add_attributes(few, ATTRIBUTES)
    add_attributes(short, ATTRIBUTES)

    assert len(few.attributes) == 2
    assert short.attributes["text"] == "ja"


def test_ended_spans_stay_as_they_are():
    """A span that has ended takes no more attributes, as with the SDK."""
    span = started()
    span.end()
    add_attributes(span, ATTRIBUTES)

    assert dict(span.attributes) == {}


def test_encoding(monkeypatch):
    """Remembered or not, attributes are encoded alike: 1, 1.0 and True are no neighbours."""
    spans = []
    for attributes in (ATTRIBUTES, ATTRIBUTES, {"number": True, "flag": 1, "share": 1}):
        span = started()
        span.set_attributes({**attributes, "list": (1, 2)})
        span.end()
        spans.append(span)
    expected = encode_spans(spans)
    monkeypatch.setattr(encoding, "_encode_key_value", encoding._encode_key_value)
    otlp_encoding.install(encoding)

    assert encode_spans(spans) == expected


def test_memory_of_encodings_is_bounded(monkeypatch):
    """Ever new values do not fill the memory."""
    monkeypatch.setattr(otlp_encoding, "_MAX_REMEMBERED", 10)
    monkeypatch.setattr(encoding, "_encode_key_value", encoding._encode_key_value)
    otlp_encoding.install(encoding)
    span = started()
    span.set_attributes({f"name {number}": number for number in range(50)})
    span.end()
    encode_spans([span])

    assert len(otlp_encoding._remembered) <= 10
