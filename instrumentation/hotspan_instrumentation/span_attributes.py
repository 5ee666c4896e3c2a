"""Setting attributes whose types are known to be right, at a fraction of the usual cost.

The SDK checks and copies each value, under two locks. On a page of hundreds of statements that is
most of what the enrichment costs.
"""

from collections.abc import Mapping
from typing import Any

from opentelemetry import trace
from opentelemetry.util.types import AttributeValue


def add_attributes(span: trace.Span, attributes: Mapping[str, AttributeValue]) -> None:
    """Set attributes of a span that no other thread changes now.

    Values must be of the types that OpenTelemetry allows, and immutable. The user's limits hold:
    where one might be reached, the SDK does it.
    """
    bounded: Any = getattr(span, "_attributes", None)
    if bounded is None:  # not the SDK's
        span.set_attributes(attributes)
        return
    known = bounded._dict  # noqa: SLF001
    room = bounded.maxlen is None or len(known) + len(attributes) <= bounded.maxlen
    if room and bounded.max_value_len is None and not bounded._immutable:  # noqa: SLF001
        known.update(attributes)
    else:
        span.set_attributes(attributes)
