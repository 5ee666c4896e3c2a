"""smtplib: a call like any other, which no stock instrumentor shows. No address is recorded."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.network_attributes import NETWORK_PROTOCOL_NAME
from opentelemetry.semconv.attributes.server_attributes import SERVER_ADDRESS, SERVER_PORT
from opentelemetry.trace import Span, SpanKind, StatusCode

from hotspan_instrumentation.client_calls import NO_TIMEOUT, TIMEOUT_S, resolved_timeout_s
from hotspan_instrumentation.guard import guarded
from hotspan_instrumentation.settings import current_settings

MODULE: Final = "smtplib"

_SCOPE: Final = "hotspan_instrumentation.smtp"


def install(module: ModuleType) -> None:
    """Wrap connecting and sending a message: what waits for the other side."""
    if current_settings().client_calls:
        _wrap(module.SMTP, "connect", address=_address_of_connect)
        _wrap(module.SMTP, "sendmail", address=_address_of_connection)


def _wrap(owner: Any, name: str, *, address: Callable[..., tuple[str, int]]) -> None:  # noqa: ANN401 - a class
    original = getattr(owner, name)

    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - smtplib's signature
        with _ending(_start(name, address, self, *args, **kwargs)):
            return original(self, *args, **kwargs)

    setattr(owner, name, call)


@guarded
def _start(
    name: str,
    address: Callable[..., tuple[str, int]],
    connection: Any,  # noqa: ANN401
    *args: object,
    **kwargs: object,
) -> Span:
    host, port = address(connection, *args, **kwargs)
    timeout_s = resolved_timeout_s(connection.timeout)
    return trace.get_tracer(_SCOPE).start_span(
        f"SMTP {name}",
        kind=SpanKind.CLIENT,
        attributes={
            NETWORK_PROTOCOL_NAME: "smtp",
            SERVER_ADDRESS: host,
            SERVER_PORT: port,
            TIMEOUT_S: NO_TIMEOUT if timeout_s is None else timeout_s,
        },
    )


@contextmanager
def _ending(span: Span | None) -> Iterator[None]:
    """End a span with what is inside; by its type only, for an error's text names recipients."""
    try:
        yield
    except BaseException as error:
        if span is not None:
            span.set_attribute(ERROR_TYPE, f"{type(error).__module__}.{type(error).__qualname__}")
            span.set_status(StatusCode.ERROR)
        raise
    finally:
        if span is not None:
            span.end()


def _address_of_connect(
    connection: Any,  # noqa: ANN401
    host: str = "localhost",
    port: int = 0,
    **_: object,
) -> tuple[str, int]:
    return host, port or connection.default_port


def _address_of_connection(connection: Any, *_: object, **__: object) -> tuple[str, int]:  # noqa: ANN401
    peer = connection.sock.getpeername() if connection.sock is not None else ("", 0)
    return getattr(connection, "_host", "") or str(peer[0]), int(peer[1])
