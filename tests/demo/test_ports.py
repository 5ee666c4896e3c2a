"""Ports that are taken are an error that says what to do."""

import os
import socket

import pytest

from hotspan_demo.errors import DemoError
from hotspan_demo.ports import check_free
from support.processes import free_port


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_free_ports_are_fine():
    """Nothing happens when nobody listens."""
    check_free({"--web-port": free_port()})


def test_a_taken_port_names_owner_and_option(taken_port):
    """The error names the port, the process that has it, and the option that chooses another."""
    with pytest.raises(DemoError) as caught:
        check_free({"--web-port": taken_port})

    text = str(caught.value)
    for expected in (f"Port {taken_port} is taken", f"process {os.getpid()}", "--web-port"):
        assert expected in text


def test_all_taken_ports_are_named_at_once(taken_port):
    """Whoever must choose other ports learns all of them in one go."""
    with pytest.raises(DemoError) as caught:
        check_free({"--web-port": taken_port, "--api-port": taken_port})

    text = str(caught.value)

    assert text.count("--web-port") == text.count("--api-port") == 2


def test_a_port_cannot_be_used_twice():
    """Two of our own processes cannot share a port."""
    port = free_port()

    with pytest.raises(DemoError, match=f"Port {port} is used more than once"):
        check_free({"--web-port": port, "--api-port": port})
