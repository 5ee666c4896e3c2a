"""What the instrumentation costs the demo shop's order list, a page of 212 statements.

    .bench/bin/python tests/benchmarks/instrumentation_cost.py [--rounds 30] [--requests 2]

Plain Django, stock OpenTelemetry, hotspan, sentry-sdk and ddtrace, each in a process of its own
that lives all the time, take turns of a few requests: what else the machine does meanwhile hits all
of them alike. Each exports by its own way to a server that takes all and does nothing with it.
A ratio is one of the same round; reported are the median of these and the middle half of them.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

VARIANTS: Final = ("plain", "stock", "hotspan", "sentry", "ddtrace")
QUERIES: Final = 212

_ROOT: Final = Path(__file__).parents[2]
_FOLDER: Final = Path(__file__).parent

Round = dict[str, dict[str, float]]


def main() -> None:
    """Print what each variant costs, as JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--requests", type=int, default=2)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=VARIANTS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    load = round(os.getloadavg()[0], 1)
    results = measure(options.variants, rounds=options.rounds, requests=options.requests)
    if options.json:
        given = {"rounds": options.rounds, "requests": options.requests, "load": load}
        json.dump({"queries": QUERIES, **given, "variants": results}, sys.stdout)
        return
    for name, result in results.items():
        sys.stdout.write(f"{name:<8} " + "  ".join(f"{k} {v}" for k, v in result.items()) + "\n")


def measure(variants: Sequence[str], *, rounds: int, requests: int) -> dict[str, dict[str, Any]]:
    """Have the variants take turns; each round begins with another one."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sink = stack.enter_context(_sink())
        shops = {name: stack.enter_context(_shop(name, folder / name, sink)) for name in variants}
        measured = []
        for number in range(rounds):
            first = number % len(variants)
            order = [*variants[first:], *variants[:first]]
            turns = {name: _turn(shops[name], requests) for name in order}
            measured.append(turns)
    return {name: summary(name, measured) for name in variants}


def summary(name: str, rounds: Sequence[Round]) -> dict[str, Any]:
    """Return a variant's times, and how they compare with stock OpenTelemetry's."""
    own = [turns[name] for turns in rounds]
    result: dict[str, Any] = {
        f"{what}_ms": round(statistics.median(turn[f"{what}_ms"] for turn in own), 1)
        for what in ("cpu", "latency")
    }
    if "stock" not in rounds[0]:
        return result
    for what in ("cpu", "latency"):
        key = f"{what}_ms"
        result[f"{what}_ratio"] = _quartiles(
            [turns[name][key] / turns["stock"][key] for turns in rounds], digits=3
        )
    result["query_us"] = _quartiles(
        [(turns[name]["cpu_ms"] - turns["stock"]["cpu_ms"]) * 1e3 / QUERIES for turns in rounds],
        digits=1,
    )
    return result


def _quartiles(values: Sequence[float], *, digits: int) -> list[float]:
    """Return the lower quartile, the median and the upper quartile."""
    return [round(value, digits) for value in statistics.quantiles(values, n=4)]


def _turn(shop: "subprocess.Popen[str]", requests: int) -> dict[str, float]:
    assert shop.stdin is not None
    shop.stdin.write(f"{requests}\n")
    shop.stdin.flush()
    return _answer(shop)


def _answer(process: "subprocess.Popen[str]") -> dict[str, float]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        message = f"{process.args} ended; see its output above"
        raise RuntimeError(message)
    answer: dict[str, float] = json.loads(line)
    return answer


@contextmanager
def _shop(variant: str, folder: Path, sink: str) -> Iterator["subprocess.Popen[str]"]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(_ROOT / "deploy" / "demo"),
        "DJANGO_SETTINGS_MODULE": "shop.settings",
        "SHOP_RELEASE": "1.0.0",
        "SHOP_DATA_DIR": str(folder),
        "HOTSPAN_BENCH_SINK": sink,
    }
    with _process([_FOLDER / "measured_shop.py", variant], environment) as process:
        _answer(process)
        yield process


@contextmanager
def _sink() -> Iterator[str]:
    with _process([_FOLDER / "sink.py"], dict(os.environ)) as process:
        yield f"http://127.0.0.1:{int(_answer(process)['port'])}"


@contextmanager
def _process(
    command: Sequence[str | Path], environment: dict[str, str]
) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, *command],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
