"""Attributes that many spans have in common, put together and encoded once."""

from collections.abc import Mapping

from opentelemetry.util.types import AttributeValue


class AttributeGroup:
    """Some attributes of a span, shared with others; never changed.

    Attributes:
        attributes: Names and values.
        encoded: What they are in OTLP, once they have been sent.

    """

    __slots__ = ("attributes", "encoded")

    def __init__(self, attributes: Mapping[str, AttributeValue]) -> None:
        self.attributes = attributes
        self.encoded: bytes | None = None
