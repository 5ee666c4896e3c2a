"""From the end of an entry to the violation in the API's answer."""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from support.collector import Collector
from support.processes import Process

RUNS = 5
_POLL_INTERVAL_S = 0.1
_LONGEST_S = 60


def measure_latency(collector: Collector, *, export_delay_ms: int) -> dict[str, object]:
    """Run a process that exports through the SDK, and wait for what it did wrong."""
    with tempfile.TemporaryDirectory() as directory:
        process = Process(
            [
                *(sys.executable, Path(__file__).with_name("exporting_process.py")),
                *(collector.http_url, str(export_delay_ms), str(RUNS)),
            ],
            log_path=Path(directory) / "process.log",
        )
        with process:
            seconds = list(_seconds_until_visible(collector, process).values())
    return {
        "export_delay_ms": export_delay_ms,
        "runs": len(seconds),
        "median_s": round(statistics.median(seconds), 1),
        "longest_s": round(max(seconds), 1),
    }


def _seconds_until_visible(collector: Collector, process: Process) -> dict[str, float]:
    waits: dict[str, float] = {}
    deadline = time.monotonic() + _LONGEST_S
    while len(waits) < RUNS:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(waits)} of {RUNS} violations came in {_LONGEST_S} s")
        for line in process.output().splitlines():
            service, _, ended_at = line.partition(" ")
            if service not in waits and collector.violations(service):
                waits[service] = time.time() - float(ended_at)
        time.sleep(_POLL_INTERVAL_S)
    return waits
