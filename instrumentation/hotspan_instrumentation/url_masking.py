"""URLs keep their shape and lose what may be secret: credentials and the values of queries."""

import re
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.sdk.trace import Span, SpanProcessor
from opentelemetry.semconv.attributes.exception_attributes import (
    EXCEPTION_MESSAGE,
    EXCEPTION_STACKTRACE,
)
from opentelemetry.trace import SpanKind, Status
from opentelemetry.util.types import AttributeValue

from hotspan_instrumentation import guard

MASK: Final = "REDACTED"

# A value ends where a URL does: in a text that is a space, a quote or a bracket.
_QUERY_VALUE: Final = re.compile(r"([?&][^=&\s'\"<>()]{1,200}=)[^&#\s'\"<>()]+")
_BARE_QUERY_VALUE: Final = re.compile(r"((?:^|&)[^=&]*=)[^&#]+")
_CREDENTIALS: Final = re.compile(r"(\b[a-zA-Z][a-zA-Z0-9+.-]*://)[^/?#\s'\"@]+@")

_URLS: Final = ("url.full", "http.url", "http.target", "url.path")
_KINDS_WITH_URL: Final = frozenset({SpanKind.CLIENT, SpanKind.SERVER})
_QUERIES: Final = ("url.query",)


def mask_text(text: str) -> str:
    """Mask the URLs in a text, and in it alone: `…?token=secret` becomes `…?token=REDACTED`."""
    if "=" not in text and "@" not in text:
        return text
    masked = _QUERY_VALUE.sub(rf"\1{MASK}", text)
    return _CREDENTIALS.sub(rf"\1{MASK}@", masked)


def mask_query(query: str) -> str:
    """Mask the values of a query without its question mark."""
    return _BARE_QUERY_VALUE.sub(rf"\1{MASK}", query)


def masked_urls(attributes: Mapping[str, Any]) -> dict[str, AttributeValue]:
    """Return those attributes of a span that have to be written anew."""
    changed: dict[str, AttributeValue] = {}
    for names, mask in ((_URLS, mask_text), (_QUERIES, mask_query)):
        for name in names:
            value = attributes.get(name)
            if isinstance(value, str) and (masked := mask(value)) != value:
                changed[name] = masked
    return changed


class UrlMaskingProcessor(SpanProcessor):
    """Mask the URLs of a span that ends, also in the texts of its exceptions."""

    def _on_ending(self, span: Span) -> None:
        try:
            if span.kind in _KINDS_WITH_URL:
                _change(span._attributes, masked_urls(span.attributes or {}))  # noqa: SLF001 - see _change
            if span._events:  # noqa: SLF001 - the public way copies them
                _mask_events(span)
        except Exception:  # noqa: BLE001 - a guard without a call more
            guard.report_failure(f"{__name__}.{UrlMaskingProcessor.__qualname__}")


def _mask_events(span: Span) -> None:
    for event in span._events:  # noqa: SLF001 - likewise
        attributes: Any = event._attributes or {}  # noqa: SLF001 - likewise
        texts = {
            name: str(attributes[name])
            for name in (EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE)
            if name in attributes
        }
        masked = {name: mask_text(text) for name, text in texts.items()}
        if masked != texts:
            _change(attributes, masked)
    if span.status.description:
        masked_text = mask_text(span.status.description)
        span._status = Status(span.status.status_code, masked_text)  # noqa: SLF001 - it has ended


def _change(bounded: Any, changes: Mapping[str, AttributeValue]) -> None:  # noqa: ANN401 - the SDK's
    """Change attributes that the SDK has closed, and has not read yet; it has no public way."""
    if not changes:
        return
    immutable, bounded._immutable = bounded._immutable, False  # noqa: SLF001
    try:
        for name, value in changes.items():
            bounded[name] = value
    finally:
        bounded._immutable = immutable  # noqa: SLF001
