"""Collectors to hurt. `make faults` repeats more often than `make test`."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.clickhouse_server import ClickhouseServer
from support.collector import Collector

IS_LONG = os.environ.get("HOTSPAN_FAULTS") == "long"


@pytest.fixture
def often() -> Callable[[int, int], int]:
    """Return how often to do something: a few times, or many."""
    return lambda few, many: many if IS_LONG else few


@pytest.fixture
def start_collector(tmp_path: Path) -> Iterator[Callable[..., Collector]]:
    """Start a collector of the test's own; embedded unless it is given a store."""
    started: list[Collector] = []

    def start(store: str = "", **env: str) -> Collector:
        directory = tmp_path / f"collector-{len(started)}"
        collector = Collector(directory, store=store, env=env)
        started.append(collector)
        collector.start()
        return collector

    yield start
    for collector in started:
        collector.stop()


@pytest.fixture
def server(start_clickhouse) -> ClickhouseServer:
    """A server of the test's own, with a database `hotspan`."""
    server = start_clickhouse()
    server.create_database("hotspan")
    return server


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Mount a disk of some megabytes. Needs root."""
    mounted: list[Path] = []

    def mount(megabytes: int) -> Path:
        path = tmp_path / f"disk-{len(mounted)}"
        path.mkdir()
        options = ["-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(path)]
        subprocess.run(["mount", *options], check=True, capture_output=True)
        mounted.append(path)
        return path

    yield mount
    for path in mounted:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
