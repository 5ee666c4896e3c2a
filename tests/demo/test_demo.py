"""`hotspan demo` with all of its processes: what it finds, and that nothing is left behind."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from support.processes import Process, free_port

# What stock spans tell, and what they do not.
STOCK = {
    *("n_plus_one", "duplicate_query", "write_loop", "query_budget", "slow_external_call"),
    *("external_call_in_request", "blocking_time", "task_failure", "task_retries_exhausted"),
}
ENRICHED = {
    *("query_product", "query_chain", "over_fetch", "unbounded_result", "connection_churn"),
    *("external_call_in_transaction", "missing_timeout", "slow_middleware", "debug_enabled"),
}
PORTS = ("grpc", "http", "api", "ui", "web", "stub")


@pytest.fixture
def ports():
    """Free ports, all different: six for the demo, three for another collector."""
    return [str(free_port()) for _ in range(9)]


@pytest.fixture
def port_options(ports):
    """An option with a free port for everything that listens."""
    pairs = zip(PORTS, ports, strict=False)
    return [argument for name, port in pairs for argument in (f"--{name}-port", port)]


@pytest.fixture
def data_dir(tmp_path):
    """A folder that all processes of the demo run in; at the end none is left."""
    folder = tmp_path / "demo"
    yield folder
    assert processes_in(folder) == []


@pytest.fixture
def demo_command(data_dir, port_options):
    program = Path(sys.executable).parent / "hotspan"
    return [program, "demo", "--data-dir", data_dir, *port_options]


@pytest.fixture(params=["embedded", pytest.param("server", marks=pytest.mark.slow)])
def store_options(request):
    """The embedded store, or a database of a real ClickHouse server."""
    if request.param == "embedded":
        return []
    return ["--store", request.getfixturevalue("clickhouse_url")]


def processes_in(folder):
    """Command lines of the processes that run in a folder."""
    found = []
    for cwd in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if cwd.readlink() == folder:
                found.append(cwd.with_name("cmdline").read_text().replace("\0", " "))
        except OSError:  # it has ended meanwhile
            continue
    return found


def run_once(command, release, *options):
    """Run the demo for one release; return its exit code and what it printed."""
    ended = subprocess.run(
        [*command, "--once", "--format", "json", "--release", release, *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout)


def test_problems_are_found(demo_command, store_options):
    """Release 1.0.0: every pair whose rule exists is found, and clean pages stay clean."""
    code, result = run_once([*demo_command, *store_options], "1.0.0")

    assert [pair for pair in result["pairs"] if pair["status"] == "missing"] == []
    assert [page for page in result["clean"] if page["rules"]] == []
    assert (code, result["passed"], result["incomplete"]) == (0, True, [])
    assert_finds_the_order_list(result)
    assert_finds_the_failing_task(result)
    assert_the_product_is_exact(result)


def assert_finds_the_order_list(result):
    """The N+1 of the order list, with its line and its remedy."""
    worst = max(
        (
            found
            for found in result["findings"]
            if (found["entry"], found["rule"]) == ("GET erp/orders/", "n_plus_one")
        ),
        key=lambda found: found["count"],
    )
    source = Path(worst["code"]["file"]).read_text().splitlines()

    assert worst["count"] == 204
    assert worst["code"]["file"].endswith("deploy/demo/shop/erp/orders.py")
    assert "item.product.name" in source[worst["code"]["line"] - 1]
    assert "select_related" in worst["suggestion"]


def assert_finds_the_failing_task(result):
    """The failing task, with its exception."""
    failures = [
        found
        for found in result["findings"]
        if found["rule"] == "task_failure" and found["entry"].endswith("post_invoice")
    ]

    assert ["BookingError" in json.dumps(found) for found in failures] == [True]


def assert_the_product_is_exact(result):
    """A query for each pair is told by its parameters: 15 variants times 6 warehouses."""
    products = [
        (found["confidence"], found["evidence"]["details"]["outer"], found["count"])
        for found in result["findings"]
        if found["rule"] == "query_product"
    ]

    assert set(products) == {("high", 15, 90)}


@pytest.mark.slow
def test_stock_spans_lead_to_less_with_less_confidence(demo_command, monkeypatch):
    """Without hotspan in the shop its main problems are found, as what they may be."""
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "hotspan")
    code, result = run_once(demo_command, "1.0.0", "--evaluate-timeout", "60")

    rules = {found["rule"] for found in result["findings"]}
    n_plus_one = [found for found in result["findings"] if found["rule"] == "n_plus_one"]
    assert code == 1  # not all was found
    assert rules >= STOCK
    assert rules & ENRICHED == set()
    assert {found["confidence"] for found in n_plus_one} == {"medium"}
    assert all("code.file.path" in f["evidence"]["missing_attributes"] for f in n_plus_one)


@pytest.mark.slow
def test_fixes_are_clean(demo_command):
    """Release 1.1.0: nothing of what was found in 1.0.0 is found any more."""
    code, result = run_once(demo_command, "1.1.0")

    found = [pair for pair in result["pairs"] if pair["status"] == "found" and not pair["remains"]]
    assert found == []
    assert [page for page in result["clean"] if page["rules"]] == []
    assert (code, result["passed"], result["incomplete"]) == (0, True, [])


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_fixes_are_proven_and_what_comes_back_is_a_regression(demo_command):
    """One release after the other on one store: found, verified fixed, rolled back, regressed."""
    releases = [("1.0.0", ""), ("1.1.0", ""), ("1.0.0", ""), ("1.0.0", "1.2.0")]
    seen = []
    for release, version in releases:
        command = [*demo_command, *(["--as-version", version] if version else [])]
        _, result = run_once(command, release)
        seen.append(
            {(each["rule"], each["entry"]): each for each in result["violations"]},
        )
    orders = ("n_plus_one", "GET erp/orders/")
    states = [run[orders]["status"] for run in seen]
    proof = seen[1][orders]["fix"]
    proven = [name for name, each in seen[1].items() if each["status"] == "verified_fixed"]
    regressed = [name for name in proven if seen[3][name]["status"] == "regressed"]

    assert states == ["open", "verified_fixed", "open", "regressed"]
    assert seen[2][orders]["reason"] == "rolled back to 1.0.0"
    assert seen[3][orders]["regressed_release"] == "1.2.0"
    assert proof["releases"] == ["1.1.0"]
    assert proof["queries_before"] > 200
    assert proof["queries_after"] < 25
    assert len(proven) > 30
    assert {"query_chain", "query_product", "write_loop", "task_failure"} <= {
        rule for rule, _ in regressed
    }


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("Starting the collector", signal.SIGTERM),
        pytest.param("Starting gunicorn and Celery", signal.SIGINT, marks=pytest.mark.slow),
        pytest.param("Sending requests", signal.SIGTERM, marks=pytest.mark.slow),
    ],
)
def test_signals_end_it_at_any_time(demo_command, data_dir, tmp_path, said, number):
    """Whenever it is told to stop, it ends all of its processes, and that is no failure."""
    demo = Process(demo_command, log_path=tmp_path / "demo.log")
    with demo:
        demo.wait_for_line(said)
        demo.signal(number)
        code = demo.wait()

    assert (code, processes_in(data_dir)) == (0, [])


def test_a_taken_port_is_named(demo_command):
    """Exit code 2, and an error that names the port and the option."""
    port = demo_command[demo_command.index("--web-port") + 1]
    with socket.create_server(("127.0.0.1", int(port))):
        ended = subprocess.run(demo_command, capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert f"Port {port} is taken by" in ended.stderr
    assert "--web-port" in ended.stderr


def test_a_data_directory_of_another_collector(demo_command, data_dir, ports, tmp_path):
    """The collector's own error is passed on."""
    serve = [demo_command[0], "serve", "--data-dir", data_dir]
    grpc, http, api = ports[len(PORTS) :]
    options = ["--grpc-port", grpc, "--http-port", http, "--api-port", api]
    with Process([*serve, *options], log_path=tmp_path / "collector.log") as collector:
        collector.wait_for_line("OTLP/HTTP")
        ended = subprocess.run(demo_command, capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert "belongs to another collector" in ended.stderr
