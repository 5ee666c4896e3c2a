"""The doctor, run as users run it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.otlp_sink import OtlpSink
from support.processes import free_port


def _doctor(*options: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "hotspan_instrumentation", "doctor", *options],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def _report(**environment: str) -> tuple[int, dict[str, Any]]:
    status, text = _doctor("--format", "json", **environment)
    return status, json.loads(text)


@pytest.fixture(scope="module")
def sick() -> tuple[int, str]:
    """What the doctor says when nobody listens, another distro is wanted, and Celery is off."""
    return _doctor(
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://me:secret@127.0.0.1:{free_port()}",
        OTEL_PYTHON_DISTRO="theirs",
        OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="celery, redis",
    )


def test_healthy(sink: OtlpSink):
    """With a collector that answers all is well, and it has received no span."""
    status, report = _report(OTEL_EXPORTER_OTLP_ENDPOINT=sink.url, OTEL_SERVICE_NAME="shop")

    libraries = {library["name"]: library["state"] for library in report["libraries"]}
    assert status == 0
    assert report["ok"]
    assert sink.paths == ["/v1/traces"]
    assert sink.spans() == []
    assert libraries["django"] == libraries["celery"] == libraries["sqlite3"] == "instrumented"


def test_absent_library(tmp_path):
    """A library that cannot be imported is absent, which is no failure."""
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['pymysql'] = None")
    _, report = _report(PYTHONPATH=str(tmp_path), OTEL_TRACES_EXPORTER="none")

    (found,) = (each for each in report["libraries"] if each["name"] == "pymysql")
    assert found["state"] == "absent"
    assert "pymysql" in found["reason"]


def test_nobody_listens(sick):
    """It says what is wrong and what to do, and ends with 1."""
    status, text = sick

    assert status == 1
    assert "FAIL  export" in text
    assert "Connection refused" in text
    assert "start the collector (hotspan serve), or set OTEL_EXPORTER_OTLP_ENDPOINT" in text


def test_password_is_not_shown(sick):
    """An address is shown without the password in it."""
    assert "secret" not in sick[1]


def test_a_distro_that_is_not_there(sick):
    """It says when the distro that is asked for is not installed, and how to choose hotspan's."""
    advice = "theirs is not installed: install it, or set OTEL_PYTHON_DISTRO=hotspan"

    assert advice in sick[1]


def test_another_distro(sink: OtlpSink):
    """Beside another distro, all is well, too."""
    status, report = _report(
        OTEL_EXPORTER_OTLP_ENDPOINT=sink.url,
        OTEL_PYTHON_DISTRO="other",
        PYTHONPATH=str(Path(__file__).parent / "other_distro"),
    )
    (distro,) = (check for check in report["checks"] if check["name"] == "distro")

    assert status == 0
    assert distro["detail"].startswith("other, with hotspan's additions")


def test_disabled_libraries(sick):
    """It says what the user has switched off, and where."""
    lines = [line.split(maxsplit=2) for line in sick[1].splitlines() if line.startswith("disabled")]

    assert lines == [
        ["disabled", name, "named in OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"]
        for name in ("celery", "redis")
    ]
