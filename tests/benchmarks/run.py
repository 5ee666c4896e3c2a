"""Measures a collector on this machine, and writes docs/performance.md and results/latest.json.

Called by `make bench`. It takes about half an hour (lengths.py); keep the machine quiet meanwhile.
With the names of parts as arguments it measures these alone, and leaves the others' numbers.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import chdb
from at_scale import measure_at_scale
from evaluation import measure_evaluation
from latency import measure_latency
from report import write_report
from rotel import measure_beside_rotel
from scaling import write_scaling
from throughput import measure_throughput

from support.collector import Collector

_ROOT = Path(__file__).parents[2]
_RESULTS = Path(__file__).parent / "results" / "latest.json"


def main() -> None:
    """Measure everything, or what the arguments name, one after the other."""
    unknown = set(sys.argv[1:]) - set(_PARTS)
    if unknown:
        sys.exit(f"run.py: no part {', '.join(sorted(unknown))}; there are {', '.join(_PARTS)}")
    results: dict[str, object] = json.loads(_RESULTS.read_text("utf-8")) if sys.argv[1:] else {}
    results.setdefault("machine", _machine())
    for name in sys.argv[1:] or _PARTS:
        what, measure = _PARTS[name]
        _say(what)
        results.update(measure())
    _RESULTS.parent.mkdir(exist_ok=True)
    _RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    write_report(results, _ROOT / "docs" / "performance.md")
    write_scaling(results, _ROOT / "docs" / "scaling.md")
    _say(f"written to docs/performance.md, docs/scaling.md and {_RESULTS.relative_to(_ROOT)}")


def _measure_collector() -> dict[str, object]:
    results: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="hotspan-bench-") as directory:
        collector = Collector(Path(directory), base={})
        collector.start()
        try:
            results["latency"] = [
                measure_latency(collector, export_delay_ms=delay_ms) for delay_ms in (1_000, 5_000)
            ]
            results["throughput"] = measure_throughput(collector)
        finally:
            collector.stop()
    return results


def _measure_growth() -> dict[str, object]:
    """Measure in a process of its own, whose memory is told, and whose store goes with it."""
    command = [sys.executable, Path(__file__).parent / "growth.py"]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    measured: dict[str, object] = json.loads(answer.stdout.splitlines()[-1])
    return measured


def _measure_instrumentation() -> dict[str, object]:
    """Measure in the environment that has the others too."""
    python = _ROOT / ".bench" / "bin" / "python"
    command = [python, Path(__file__).parent / "instrumentation_cost.py", "--json"]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    measured: dict[str, object] = json.loads(answer.stdout)
    return measured


_PARTS: Mapping[str, tuple[str, Callable[[], Mapping[str, object]]]] = {
    "collector": (
        "how long until a violation is visible, and how many spans are stored a second",
        _measure_collector,
    ),
    "evaluation": (
        "how long an evaluation takes",
        lambda: {"evaluation": measure_evaluation()},
    ),
    "growth": (
        "what evaluations cost as the store grows",
        lambda: {"growth": _measure_growth()},
    ),
    "rotel": ("hotspan beside Rotel", lambda: {"rotel": measure_beside_rotel()}),
    "at_scale": ("what things cost with much stored", lambda: {"at_scale": measure_at_scale()}),
    "instrumentation": (
        "what the instrumentation costs, beside others",
        lambda: {"instrumentation": _measure_instrumentation()},
    ),
}


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
