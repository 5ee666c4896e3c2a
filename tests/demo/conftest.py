"""The outside world of the shop, for tests."""

import threading
from contextlib import contextmanager

import pytest

from hotspan_demo import stub
from support.otlp_sink import OtlpSink


@contextmanager
def running_stub():
    server = stub.server(port=0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def stub_url():
    """One for a whole module."""
    with running_stub() as url:
        yield url


@pytest.fixture
def forgetful_stub_url():
    """One that nobody has asked before."""
    with running_stub() as url:
        yield url


@pytest.fixture(scope="module")
def shared_sink():
    """Where the spans of a module's processes arrive."""
    with OtlpSink() as sink:
        yield sink
