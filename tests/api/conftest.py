"""The API over HTTP, on an embedded store."""

from collections.abc import Iterator

import httpx
import pytest

from hotspan_collector.store.port import SpanStore
from support.api_server import serve_api
from support.embedded import embedded_store, shared_store  # noqa: F401 (a fixture)


@pytest.fixture
def store(embedded_store: SpanStore) -> SpanStore:  # noqa: F811 (a fixture)
    return embedded_store


@pytest.fixture(scope="session")
def api_url() -> Iterator[str]:
    """An API that asks for no key, with the default settings."""
    with serve_api(shared_store()) as url:
        yield url


@pytest.fixture
def api(api_url: str, store: SpanStore) -> Iterator[httpx.Client]:
    """A client of an API on an empty store."""
    with client(api_url) as http:
        yield http


def client(url: str, **options) -> httpx.Client:
    return httpx.Client(base_url=f"{url}/api/v1", trust_env=False, timeout=30, **options)
