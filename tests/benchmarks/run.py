"""Measures a collector on this machine, and writes docs/performance.md and results/latest.json.

Called by `make bench`. It takes about four minutes; keep the machine quiet meanwhile.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import chdb
from evaluation import measure_evaluation
from latency import measure_latency
from report import write_report
from throughput import measure_throughput

from support.collector import Collector

_ROOT = Path(__file__).parents[2]
_RESULTS = Path(__file__).parent / "results" / "latest.json"


def main() -> None:
    """Measure everything, one after the other."""
    results: dict[str, object] = {"machine": _machine()}
    with tempfile.TemporaryDirectory(prefix="hotspan-bench-") as directory:
        collector = Collector(Path(directory), base={})
        collector.start()
        try:
            _say("how long until a violation is visible")
            results["latency"] = [
                measure_latency(collector, export_delay_ms=delay_ms) for delay_ms in (1_000, 5_000)
            ]
            _say("how many spans are stored a second")
            results["throughput"] = measure_throughput(collector)
        finally:
            collector.stop()
    _say("how long an evaluation takes")
    results["evaluation"] = measure_evaluation()
    _say("what the instrumentation costs, beside others")
    results["instrumentation"] = _measure_instrumentation()
    _RESULTS.parent.mkdir(exist_ok=True)
    _RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    write_report(results, _ROOT / "docs" / "performance.md")
    _say(f"written to docs/performance.md and {_RESULTS.relative_to(_ROOT)}")


def _measure_instrumentation() -> dict[str, object]:
    """Measure in the environment that has the others too."""
    python = _ROOT / ".bench" / "bin" / "python"
    command = [python, Path(__file__).parent / "instrumentation_cost.py", "--json"]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    measured: dict[str, object] = json.loads(answer.stdout)
    return measured


def _machine() -> dict[str, object]:
    cpu = next(
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    )
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(memory_bytes / 2**30),
        "load_before": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "chdb": chdb.__version__,
        "date": datetime.now(UTC).date().isoformat(),
    }


def _say(what: str) -> None:
    sys.stderr.write(f"bench: {what}\n")


if __name__ == "__main__":
    main()
