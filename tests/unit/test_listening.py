"""Ports that others take."""

import asyncio
import socket

import pytest
from starlette.applications import Starlette

from hotspan_collector.errors import PortInUseError
from hotspan_collector.listening import HttpServer, bind


def test_a_port_that_is_taken_in_the_meantime_is_named():
    """Between the moment it is bound and the moment it is listened on."""
    door = bind("127.0.0.1", 0, what="The API", option="--api-port")
    port = door.getsockname()[1]
    server = HttpServer(Starlette(), door, drain_s=1)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()

        with door, pytest.raises(PortInUseError, match=f"Port {port} was taken.*--api-port"):
            asyncio.run(server.run_until_stopped())
