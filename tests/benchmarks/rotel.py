"""hotspan beside Rotel, a collector in Rust: the same requests into the same ClickHouse server.

Rotel acknowledges before it stores, hotspan after: what counts is what ClickHouse holds at the end.
"""

import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from lengths import ROUNDS, RUN_S
from payload import SPANS_PER_REQUEST, Payload
from senders import SENDERS, send

from hotspan_collector.sql import split_statements
from support.clickhouse_server import ClickhouseServer
from support.collector import Collector
from support.processes import Process, free_port

# What an answered request may take to be stored, at most.
_LONGEST_DRAIN_S = 120.0
_QUIET_S = 3.0
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_HERE = Path(__file__).parent
_ROTEL = "lib/python*/site-packages/rotel/rotel-agent"


@dataclass(frozen=True, slots=True)
class Run:
    """What one run has shown."""

    stored_spans: int
    acknowledged_spans: int
    refused_requests: int
    seconds: float
    """Until the last of them was stored."""
    cpu_s: float
    """Of the collector and of ClickHouse."""
    collector_cpu_s: float
    peak_memory_mib: int
    """Of the collector."""
    bytes_per_span: float


def measure_beside_rotel() -> dict[str, object]:
    """Let the two take turns; return the medians, and each run."""
    payload, load = Payload.recorded(), os.getloadavg()[0]
    runs: dict[str, list[Run]] = {"hotspan": [], "rotel": []}
    with _server() as server:
        for number in range(ROUNDS):
            for name in sorted(runs, reverse=bool(number % 2)):
                with tempfile.TemporaryDirectory(prefix="hotspan-bench-") as directory:
                    database = f"{name}_{number}"
                    runs[name].append(_measure(name, server, database, Path(directory), payload))
                    server.query(f"DROP DATABASE {database} SYNC")
    return {
        "senders": SENDERS,
        "spans_per_request": SPANS_PER_REQUEST,
        "bytes_per_span_sent": payload.bytes_per_span,
        "run_s": RUN_S,
        "rounds": ROUNDS,
        "load": round(load, 1),
        **{name: _median(found) for name, found in runs.items()},
        "runs": {name: [asdict(run) for run in found] for name, found in runs.items()},
    }


def _measure(
    name: str, server: ClickhouseServer, database: str, directory: Path, payload: Payload
) -> Run:
    dsn = server.create_database(database)
    begin = _hotspan if name == "hotspan" else _rotel
    table = f"{database}.{'spans' if name == 'hotspan' else 'otel_traces'}"
    with begin(server, dsn, database, directory) as (process, url):
        cpu_before = (cpu_s(process.pid), cpu_s(server.process.pid))
        began = time.monotonic()
        sent = send(url, payload, run_s=RUN_S)
        stored, stored_at = _wait_until_stored(server, table)
        cpu = (
            cpu_s(process.pid) - cpu_before[0],
            cpu_s(server.process.pid) - cpu_before[1],
        )
        memory_mib = _peak_memory_mib(process.pid)
    return Run(
        stored_spans=stored,
        acknowledged_spans=sent.taken_requests * SPANS_PER_REQUEST,
        refused_requests=sent.refused_requests,
        seconds=max(stored_at - began, RUN_S),
        cpu_s=sum(cpu),
        collector_cpu_s=cpu[0],
        peak_memory_mib=memory_mib,
        bytes_per_span=bytes_per_span(server, table),
    )


def bytes_per_span(server: ClickhouseServer, table: str) -> float:
    """Return what a span takes on disk, with indexes, when all is merged."""
    server.query(f"OPTIMIZE TABLE {table} FINAL")
    database, _, name = table.partition(".")
    answer = server.query(
        "SELECT sum(bytes_on_disk) / sum(rows) FROM system.parts "
        f"WHERE active AND database = '{database}' AND table = '{name}'"
    )
    return round(float(answer), 1)


def create_exporter_tables(server: ClickhouseServer, database: str) -> None:
    """Create the tables of OpenTelemetry's exporter."""
    for statement in split_statements((_HERE / "otel_traces.sql").read_text("utf-8")):
        server.query_in(database, statement)


@contextlib.contextmanager
def _server() -> Iterator[ClickhouseServer]:
    with tempfile.TemporaryDirectory(prefix="hotspan-bench-") as directory:
        server = ClickhouseServer(Path(directory))
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def _hotspan(
    server: ClickhouseServer, dsn: str, database: str, directory: Path
) -> Iterator[tuple[Process, str]]:
    del server, database
    collector = Collector(directory, store=dsn, base={}, env={"HOTSPAN_ROLES": "ingest"})
    collector.start()
    try:
        yield collector.process, f"{collector.http_url}/v1/traces"
    finally:
        collector.stop()


@contextlib.contextmanager
def _rotel(
    server: ClickhouseServer, dsn: str, database: str, directory: Path
) -> Iterator[tuple[Process, str]]:
    del dsn
    create_exporter_tables(server, database)
    grpc_port, http_port = free_port(), free_port()
    (agent,) = (_HERE.parents[1] / ".bench").glob(_ROTEL)
    process = Process(
        [
            *(agent, "start", "--exporter", "clickhouse"),
            *("--clickhouse-exporter-endpoint", f"http://127.0.0.1:{server.http_port}"),
            *("--clickhouse-exporter-database", database),
            *("--clickhouse-exporter-table-prefix", "otel"),
            *("--otlp-grpc-endpoint", f"127.0.0.1:{grpc_port}"),
            *("--otlp-http-endpoint", f"127.0.0.1:{http_port}"),
        ],
        log_path=directory / "rotel.log",
        cwd=directory,
    )
    with process:
        process.wait_for_port(http_port)
        yield process, f"http://127.0.0.1:{http_port}/v1/traces"


def _wait_until_stored(server: ClickhouseServer, table: str) -> tuple[int, float]:
    """Wait until nothing more comes; return how many spans there are, and since when."""
    deadline = time.monotonic() + _LONGEST_DRAIN_S
    stored, since = -1, time.monotonic()
    while time.monotonic() < min(deadline, since + _QUIET_S) or stored < 0:
        # Duplicates are none: what is counted is what was sent.
        found = int(server.query(f"SELECT count() FROM {table}"))
        if found != stored:
            stored, since = found, time.monotonic()
        time.sleep(0.2)
    return stored, since


def _median(runs: list[Run]) -> dict[str, float]:
    return {
        "spans_per_s": round(statistics.median(run.stored_spans / run.seconds for run in runs)),
        "cpu_us_per_span": round(
            statistics.median(1e6 * run.cpu_s / max(1, run.stored_spans) for run in runs), 1
        ),
        "collector_cpu_us_per_span": round(
            statistics.median(1e6 * run.collector_cpu_s / max(1, run.stored_spans) for run in runs),
            1,
        ),
        "lost_spans": max(run.acknowledged_spans - run.stored_spans for run in runs),
        "refused_requests": max(run.refused_requests for run in runs),
        "peak_memory_mib": max(run.peak_memory_mib for run in runs),
        "bytes_per_span": statistics.median(run.bytes_per_span for run in runs),
    }


def cpu_s(pid: int) -> float:
    """Return the CPU time that a process has used so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND


def _peak_memory_mib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))
