"""Ports: taken before anything starts, so that a taken one is told at once."""

from __future__ import annotations

import resource
import socket
import ssl
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hotspan_collector.errors import ConfigurationError, PortInUseError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import ASGIApp

__all__ = ["HttpServer", "Tls", "allow_many_connections", "bind", "host_and_port"]

_IN_USE = frozenset({98, 48, 10048})  # EADDRINUSE on Linux, macOS, Windows


def bind(host: str, port: int, *, what: str, option: str) -> socket.socket:
    """Return a socket bound to an address; port 0 takes a free one.

    Raises:
        PortInUseError: the port is taken.
        ConfigurationError: the address is not one of this machine.

    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if error.errno in _IN_USE:
            raise PortInUseError(
                f"{what} cannot listen on {host}:{port}: the port is taken. "
                f"Stop what listens there, or choose another port with {option}."
            ) from error
        raise ConfigurationError(f"{what} cannot listen on {host}:{port}: {error}") from error
    return listener


def allow_many_connections() -> None:
    """Let this process have as many open files as it may: the default of 1,024 is soon reached."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def host_and_port(host: str, port: int) -> str:
    """Return them as URLs and gRPC want them: addresses of IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass(frozen=True, slots=True)
class Tls:
    """With what connections are encrypted."""

    cert_file: Path
    key_file: Path
    client_ca_file: Path | None
    """Clients need a certificate of one of these authorities; None: they need none."""


class _Protocol(HttpToolsProtocol):
    """Closes connections on which the head of a request does not come."""

    def __init__(self, *args: Any, head_timeout_s: float, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self._head_timeout_s = head_timeout_s
        self._waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._waiting is None:
            self._wait(self.transport)

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        super().on_headers_complete()

    def _wait(self, transport: asyncio.Transport) -> None:
        self._waiting = self.loop.call_later(self._head_timeout_s, transport.close)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


class HttpServer(uvicorn.Server):
    """Serves an application on a bound socket, and leaves signals to whoever runs it."""

    def __init__(  # noqa: PLR0913 (options)
        self,
        app: ASGIApp,
        listener: socket.socket,
        *,
        drain_s: float,
        max_connections: int | None = None,
        receive_timeout_s: float = 30.0,
        tls: Tls | None = None,
    ) -> None:
        """Prepare; `run_until_stopped` serves.

        Args:
            app: to serve.
            listener: a bound socket.
            drain_s: longest time that open requests are given at the end.
            max_connections: more are answered with 503.
            receive_timeout_s: longest time that the head of a request may take to arrive.
            tls: certificate and key; without, connections are not encrypted.

        """

        def protocol(*args: Any, **kwargs: Any) -> _Protocol:  # noqa: ANN401 (uvicorn's)
            return _Protocol(*args, head_timeout_s=receive_timeout_s, **kwargs)

        config = uvicorn.Config(
            app,
            # uvicorn calls whatever makes a protocol
            http=cast("type[asyncio.Protocol]", protocol),
            limit_concurrency=max_connections,
            # Exporters send every five seconds; a connection should outlive that.
            timeout_keep_alive=75,
            ssl_certfile=tls.cert_file if tls else None,
            ssl_keyfile=tls.key_file if tls else None,
            ssl_ca_certs=str(tls.client_ca_file) if tls and tls.client_ca_file else None,
            ssl_cert_reqs=ssl.CERT_REQUIRED if tls and tls.client_ca_file else ssl.CERT_NONE,
            log_config=None,
            access_log=False,
            lifespan="auto",
            server_header=False,
            timeout_graceful_shutdown=int(drain_s),
        )
        super().__init__(config)
        self._listener = listener
        self.port: int = listener.getsockname()[1]

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install no signal handlers."""
        yield

    async def run_until_stopped(self) -> None:
        """Serve until `should_exit` is set.

        Raises:
            PortInUseError: somebody else has begun to listen there since it was bound.

        """
        try:
            await self.serve(sockets=[self._listener])
        except OSError as error:
            if error.errno not in _IN_USE:
                raise
            raise PortInUseError(
                f"Port {self.port} was taken by another process just now. Start again, or choose "
                "another port (--http-port, --api-port)."
            ) from error
