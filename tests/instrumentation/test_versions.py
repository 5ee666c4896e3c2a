"""The oldest versions that are supported: the same tests pass, in an environment of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.environments import build_wheel, environment

HERE = Path(__file__).parent

# What is about Django, Celery and their servers. The rest is about our code alone.
SMOKE = (
    *("test_calls.py", "test_celery.py", "test_celery_outcomes.py", "test_database.py"),
    *("test_gunicorn.py", "test_manage_py.py", "test_requests.py", "test_ways_in.py"),
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def programs(tmp_path_factory) -> Path:
    """The programs of an environment with Django 4.2, Celery 5.3 and hotspan's base install."""
    return environment("django42", wheel=build_wheel(tmp_path_factory.mktemp("wheel")))


def test_oldest_versions(programs, tmp_path):
    """What is shown with the newest versions holds with the oldest ones."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-n0", "-m", "not slow"),
            *("-p", "no:cacheprovider"),
            *(f"--basetemp={tmp_path / 'smoke'}", *(str(HERE / name) for name in SMOKE)),
        ],
        cwd=HERE.parents[1],
        env={**os.environ, "HOTSPAN_TEST_PROGRAMS": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-10_000:]


def test_versions_are_the_oldest(programs):
    """The environment is what it is meant to be, and has nothing of the collector's."""
    code = (
        "import celery, django, importlib.util as u, json\n"
        "names = ('chdb', 'pydantic', 'typer', 'fastapi', 'streamlit', 'grpc')\n"
        "present = [name for name in names if u.find_spec(name)]\n"
        "print(json.dumps([django.VERSION[:2], celery.VERSION[:2], present]))"
    )
    told = subprocess.run([programs / "python", "-c", code], check=True, capture_output=True)

    assert json.loads(told.stdout) == [[4, 2], [5, 3], []]


def test_absent_libraries(programs):
    """The doctor names the drivers that are not there, and that is no failure."""
    told = subprocess.run(
        [programs / "python", "-m", "hotspan_instrumentation", "doctor", "--format", "json"],
        env={"OTEL_TRACES_EXPORTER": "none"},
        check=False,
        capture_output=True,
    )
    libraries = {each["name"]: each["state"] for each in json.loads(told.stdout)["libraries"]}

    absent = {name for name, state in libraries.items() if state == "absent"}
    assert absent >= {"mysqlclient", "psycopg2", "pymysql", "aiobotocore"}
    assert {state for name, state in libraries.items() if name not in absent} == {"instrumented"}
