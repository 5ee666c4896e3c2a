"""Streaming bodies: made after the request's span has ended, and part of its trace all the same."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, StatusCode

from hotspan_instrumentation.guard import guarded

_SCOPE: Final = "hotspan_instrumentation.streaming"
_BODY_SIZE: Final = "http.response.body.size"
_END: Final = b"the end, told by its identity"


def follow_stream(response: Any, request_span: Span) -> None:  # noqa: ANN401 - Django's response
    """Give a streaming body a span of its own below the request's, and its queries that parent.

    A file is left alone: the server may send it without Python.
    """
    if getattr(response, "file_to_stream", None) is not None:
        return
    context = trace.set_span_in_context(request_span)
    body = response.streaming_content
    if response.is_async:
        response.streaming_content = _follow_async(body, context)
    else:
        response.streaming_content = _follow(body, context)


class _Body:
    """The span of a body, current while a part of it is made."""

    def __init__(self, context: Context) -> None:
        self._span = trace.get_tracer(_SCOPE).start_span("stream", context=context)
        self._context = trace.set_span_in_context(self._span, context)
        self._size_bytes = 0

    @contextmanager
    def making_a_part(self) -> Iterator[None]:
        token = context_api.attach(self._context)
        try:
            yield
        except (StopIteration, StopAsyncIteration):
            raise
        except Exception as error:
            self._span.record_exception(error)
            self._span.set_status(StatusCode.ERROR, f"{type(error).__name__}: {error}")
            raise
        finally:
            context_api.detach(token)

    def count(self, part: bytes) -> None:
        self._size_bytes += len(part)

    def end(self) -> None:
        self._span.set_attribute(_BODY_SIZE, self._size_bytes)
        self._span.end()


_start = guarded(_Body)


def _follow(parts: Iterator[bytes], context: Context) -> Iterator[bytes]:
    body = _start(context)
    if body is None:
        yield from parts
        return
    try:
        while True:
            with body.making_a_part():
                part = next(parts, _END)
            if part is _END:
                return
            body.count(part)
            yield part
    finally:
        body.end()


async def _follow_async(parts: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
    body = _start(context)
    if body is None:
        async for part in parts:
            yield part
        return
    try:
        while True:
            with body.making_a_part():
                part = await anext(parts, _END)
            if part is _END:
                return
            body.count(part)
            yield part
    finally:
        body.end()
