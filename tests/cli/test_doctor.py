"""What the doctor finds, and what it says to do."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hotspan_collector.settings import Settings
from hotspan_collector.store.port import SpanStore
from support.api_server import CollectorStatus, serve_api
from support.processes import free_port

from .conftest import Run


@pytest.fixture
def anything() -> Iterator[str]:
    """A server that answers 200 to everything, as receiver and UI do to the doctor."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *arguments) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def results(ran) -> dict[str, str]:
    return {each["name"]: each["result"] for each in json.loads(ran.stdout)["checks"]}


def test_all_is_well(hotspan: Run, anything: str):
    """Each part is named, and the code is 0; a warning is no failure."""
    ran = hotspan("doctor", "--otlp-url", anything, "--ui-url", anything, "--format", "json")

    assert ran.returncode == 0, ran.stdout
    assert results(ran) == {
        "OTLP receiver": "ok",
        "API": "ok",
        "store and evaluator": "ok",
        "collector": "ok",
        "spans": "warning",
        "evaluator": "ok",
        "UI": "ok",
    }


def test_nothing_is_there(hotspan: Run):
    """Everything that is not reachable comes with what starts it."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    ran = hotspan(
        "doctor", "--api-url", nowhere, "--otlp-url", nowhere, "--ui-url", nowhere, columns=200
    )

    assert ran.returncode == 1
    assert ran.stdout.count("✗") == 2
    assert ran.stdout.count("hotspan serve") == 2
    assert "hotspan ui" in ran.stdout


def test_an_evaluator_that_does_not_run_is_a_problem(hotspan: Run, anything: str, store: SpanStore):
    """Spans come in, and nobody judges them."""
    with serve_api(store, status=CollectorStatus(evaluator_lag_s=None)) as url:
        ran = hotspan("doctor", "--otlp-url", anything, "--format", "json", HOTSPAN_API_URL=url)

    assert ran.returncode == 1
    assert (results(ran)["store and evaluator"], results(ran)["evaluator"]) == (
        "problem",
        "problem",
    )


def test_a_missing_key_is_told_as_such(hotspan: Run, anything: str, store: SpanStore):
    """The API is there, it only wants to know who asks."""
    with serve_api(store, settings=Settings(api_keys=("secret",))) as url:
        ran = hotspan("doctor", "--otlp-url", anything, HOTSPAN_API_URL=url)

    assert ran.returncode == 1
    assert "HOTSPAN_API_KEY" in ran.stdout


def test_traces_that_cannot_be_evaluated_are_named(hotspan: Run, anything: str, store: SpanStore):
    """With what the store said of the last one."""
    aside = {"1" * 32: "too slow", "2" * 32: "too large"}
    with serve_api(store, status=CollectorStatus(set_aside=aside)) as url:
        ran = hotspan("doctor", "--otlp-url", anything, "--format", "json", HOTSPAN_API_URL=url)

    [told] = [each for each in json.loads(ran.stdout)["checks"] if each["name"] == "traces"]
    found = f"2 could not be evaluated, the last one {'2' * 32}: too large"
    assert (told["result"], told["found"]) == ("warning", found)


@pytest.mark.parametrize(
    ("evaluator", "told"),
    [("host-2/17/ab12cd", "0.4 s behind, in host-2/17/ab12cd"), ("", "no process evaluates")],
)
def test_which_process_evaluates_is_told(
    hotspan: Run, anything: str, store: SpanStore, evaluator: str, told: str
):
    """Of several collectors, whichever is asked."""
    with serve_api(store, status=CollectorStatus(evaluator=evaluator)) as url:
        ran = hotspan("doctor", "--otlp-url", anything, "--format", "json", HOTSPAN_API_URL=url)

    found = {each["name"]: each["found"] for each in json.loads(ran.stdout)["checks"]}
    assert found["evaluator"] == told
