"""A small Django project with a Celery worker, run as real processes that export to a real sink."""

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.otlp_sink import OtlpSink
from support.processes import Process, free_port

PROJECT = Path(__file__).parent / "project"
# Another environment's, when test_versions.py runs these tests in it.
BIN = Path(os.environ.get("HOTSPAN_TEST_PROGRAMS", Path(sys.executable).parent))

# What a developer's shell may hold and tests must not see.
_UNSET = ("PYTHONPATH", "DJANGO_SETTINGS_MODULE", "OTEL_EXPORTER_OTLP_PROTOCOL")


@dataclass
class Bookshop:
    """The project, with a folder of its own for its database and queue."""

    data_dir: Path
    env: dict[str, str | None]
    processes: list[Process] = field(default_factory=list)
    launcher: tuple[str, ...] = ("opentelemetry-instrument",)

    def process(self, *command: str | Path, env: dict[str, str] | None = None) -> Process:
        """Return a command run by the launcher, if there is one, to be started."""
        program, *arguments = command
        process = Process(
            [*(BIN / name for name in self.launcher), BIN / program, *arguments],
            log_path=self.data_dir / f"{len(self.processes)}.log",
            env={**self.env, **(env or {})},
            cwd=PROJECT,
        )
        self.processes.append(process)
        return process

    def run(self, *command: str | Path, env: dict[str, str] | None = None) -> str:
        """Run a command to its end and return what it said."""
        process = self.process(*command, env=env)
        process.start()
        status = process.wait()
        assert status == 0, process.output()
        return process.output()

    def publish(self, tasks: int) -> None:
        """Publish `buy` tasks from a process that is not instrumented."""
        subprocess.run(
            [BIN / "python", "manage.py", "stock", "--sell", str(tasks)],
            cwd=PROJECT,
            env={"BOOKSHOP_DATA_DIR": str(self.data_dir)},
            check=True,
        )

    def gunicorn(self, *options: str, env: dict[str, str] | None = None) -> tuple[Process, str]:
        """Start a server with two workers and return it with its URL."""
        port = free_port()
        address = f"127.0.0.1:{port}"
        process = self.process(
            "gunicorn", "bookshop.wsgi", "--bind", address, "--workers", "2", *options, env=env
        )
        process.start()
        process.wait_for_url(f"http://{address}/process/")
        return process, f"http://{address}"

    def worker(self, *options: str, env: dict[str, str] | None = None) -> Process:
        """Start a prefork worker with two children, and wait until it takes tasks."""
        process = self.process(
            *("celery", "-A", "bookshop", "worker", "--pool", "prefork", "--concurrency", "2"),
            *("--loglevel", "INFO", *options),
            env=env,
        )
        process.start()
        process.wait_for_line(r"celery@\S+ ready")
        return process

    def uvicorn(self, *options: str, env: dict[str, str] | None = None) -> tuple[Process, str]:
        """Start a server with an event loop and return it with its URL."""
        port = free_port()
        process = self.process(
            *("uvicorn", "bookshop.asgi:application", "--port", str(port), *options), env=env
        )
        process.start()
        process.wait_for_url(f"http://127.0.0.1:{port}/process/")
        return process, f"http://127.0.0.1:{port}"

    def runserver(self, *options: str, env: dict[str, str] | None = None) -> tuple[Process, str]:
        """Start Django's development server and return it with its URL."""
        address = f"127.0.0.1:{free_port()}"
        process = self.process("python", "manage.py", "runserver", address, *options, env=env)
        process.start()
        process.wait_for_url(f"http://{address}/process/")
        return process, f"http://{address}"

    def copies_sold(self) -> int:
        """How many `buy` tasks have done their work."""
        connection = sqlite3.connect(self.data_dir / "books.sqlite3")
        ((left,),) = connection.execute("SELECT copies FROM books_book WHERE id = 1")
        connection.close()
        return 100 - left

    def wait_until_sold(self, count: int, *, timeout_s: float = 60) -> None:
        """Wait until so many tasks have done their work."""
        deadline = time.monotonic() + timeout_s
        while self.copies_sold() < count:
            assert time.monotonic() < deadline, f"{self.copies_sold()} of {count} tasks were run"
            time.sleep(0.05)


@pytest.fixture(scope="session")
def stocked_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the tables and two books, to be copied."""
    folder = tmp_path_factory.mktemp("stocked")
    for command in (["migrate", "--run-syncdb"], ["stock"]):
        subprocess.run(
            [BIN / "python", "manage.py", *command],
            cwd=PROJECT,
            env={"BOOKSHOP_DATA_DIR": str(folder)},
            check=True,
            capture_output=True,
        )
    return folder / "books.sqlite3"


@pytest.fixture
def sink() -> Iterator[OtlpSink]:
    with OtlpSink() as sink:
        yield sink


@pytest.fixture(scope="module")
def shared_sink() -> Iterator[OtlpSink]:
    """One sink for the tests of a module, for what they only look at."""
    with OtlpSink() as sink:
        yield sink


@pytest.fixture
def bookshop(tmp_path: Path, stocked_database: Path, sink: OtlpSink) -> Iterator[Bookshop]:
    """The project with two books, exporting to the sink."""
    yield from _open_bookshop(tmp_path, stocked_database, sink)


@pytest.fixture(scope="module")
def shared_bookshop(
    tmp_path_factory: pytest.TempPathFactory, stocked_database: Path, shared_sink: OtlpSink
) -> Iterator[Bookshop]:
    """The same for a module: its processes run until the last test."""
    yield from _open_bookshop(tmp_path_factory.mktemp("shop"), stocked_database, shared_sink)


def _open_bookshop(folder: Path, database: Path, sink: OtlpSink) -> Iterator[Bookshop]:
    shutil.copy(database, folder / "books.sqlite3")
    env: dict[str, str | None] = dict.fromkeys(_UNSET)
    env |= {
        "BOOKSHOP_DATA_DIR": str(folder),
        "BOOKSHOP_CARRIER_URL": sink.url,  # it answers whatever it is sent
        "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url,
        "OTEL_SERVICE_NAME": "bookshop",
        "HOTSPAN_COMMANDS": "false",  # commands are how tests do things; test_commands.py has it on
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
    }
    bookshop = Bookshop(folder, env)
    yield bookshop
    for process in bookshop.processes:
        process.kill()  # a test that cares about the end has seen it
