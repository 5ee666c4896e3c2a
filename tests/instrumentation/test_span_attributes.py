"""The quick way of setting attributes ends in the same spans as the usual one."""

from opentelemetry.sdk.trace import SpanLimits, TracerProvider

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
