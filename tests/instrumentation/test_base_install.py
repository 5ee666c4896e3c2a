"""`pip install hotspan` without an extra, in an environment that has nothing else."""

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from support.environments import build_wheel, environment
from support.span_attributes import attributes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
PROGRAM = """
import os, sqlite3, urllib.request
from opentelemetry import trace
with trace.get_tracer("shop").start_as_current_span("night run"):
    sqlite3.connect(":memory:").cursor().execute("SELECT 'a secret'").fetchall()
    urllib.request.urlopen(os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/parcels", b"", timeout=5)
"""


@pytest.fixture(scope="module")
def programs(tmp_path_factory) -> Path:
    """The programs of an environment with hotspan's base install."""
    return environment("base", wheel=build_wheel(tmp_path_factory.mktemp("wheel")))


def test_packages_are_opentelemetry_s():
    """What is asked for is OpenTelemetry's."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[<>=~\[ ]", each)[0] for each in project["dependencies"]}

    assert {name for name in names if not name.startswith("opentelemetry-")} == set()


def test_a_program_without_django_and_celery(programs, sink):
    """It runs as it is; what it has is instrumented, and of what is absent nothing is said."""
    done = subprocess.run(
        [programs / "opentelemetry-instrument", programs / "python", "-c", PROGRAM],
        env={
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    (statement,), (call,) = sink.spans("SELECT"), sink.spans("POST")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert attributes(statement)["db.query.text"] == "SELECT ?"
    assert attributes(call)["hotspan.client.timeout_s"] == 5.0
    assert attributes(call)["url.template"] == "/parcels"


def test_the_doctor_names_what_is_absent(programs, sink):
    """And that is no failure."""
    done = subprocess.run(
        [programs / "python", "-m", "hotspan_instrumentation", "doctor", "--format", "json"],
        env={"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url},
        check=True,
        capture_output=True,
    )
    report = json.loads(done.stdout)
    libraries = {each["name"]: each["state"] for each in report["libraries"]}

    assert {libraries[name] for name in ("django", "celery", "redis", "psycopg")} == {"absent"}
    assert {libraries[name] for name in ("sqlite3", "urllib")} == {"instrumented"}
    assert set(libraries.values()) == {"absent", "instrumented"}
