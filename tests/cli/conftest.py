"""The commands as people run them, against an API on an embedded store."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from hotspan_collector.store.port import SpanStore
from support.api_server import serve_api
from support.embedded import embedded_store, shared_store  # noqa: F401 (a fixture)

_HOTSPAN = "from hotspan_collector.cli.app import app; app(prog_name='hotspan')"

Run = Callable[..., subprocess.CompletedProcess]


@pytest.fixture
def store(embedded_store: SpanStore) -> SpanStore:  # noqa: F811 (a fixture)
    return embedded_store


@pytest.fixture(scope="session")
def api_url() -> Iterator[str]:
    with serve_api(shared_store()) as url:
        yield url


@pytest.fixture
def hotspan(api_url: str, store: SpanStore) -> Run:
    """Run a command in a process of its own, its output piped."""

    def run(*arguments: str, columns: int = 100, **environment: str):
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", _HOTSPAN, *arguments],
            env={
                **{name: value for name, value in os.environ.items() if "HOTSPAN" not in name},
                "COLUMNS": str(columns),
                "HOTSPAN_API_URL": api_url,
                **environment,
            },
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run
