"""Ports: taken before anything starts, so that a taken one is told at once."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from hotspan_collector.errors import ConfigurationError, PortInUseError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp

__all__ = ["HttpServer", "bind", "host_and_port"]


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
        if error.errno in {98, 48, 10048}:  # EADDRINUSE on Linux, macOS, Windows
            raise PortInUseError(
                f"{what} cannot listen on {host}:{port}: the port is taken. "
                f"Stop what listens there, or choose another port with {option}."
            ) from error
        raise ConfigurationError(f"{what} cannot listen on {host}:{port}: {error}") from error
    return listener


def host_and_port(host: str, port: int) -> str:
    """Return them as URLs and gRPC want them: addresses of IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class HttpServer(uvicorn.Server):
    """Serves an application on a bound socket, and leaves signals to whoever runs it."""

    def __init__(self, app: ASGIApp, listener: socket.socket, *, drain_s: float) -> None:
        config = uvicorn.Config(
            app,
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
        """Serve until `should_exit` is set."""
        await self.serve(sockets=[self._listener])
