"""Django's and Celery's own tests: the same results with the instrumentation as without."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import pytest

from support.otlp_sink import OtlpSink
from support.their_suites import source_of

BIN = Path(sys.executable).parent

# What we patch, and what goes through it.
DJANGO = (
    *("asgi", "async", "backends", "bulk_create", "cache", "composite_pk", "csrf_tests", "defer"),
    *("delete", "dispatch", "force_insert_update", "foreign_object", "generic_relations"),
    *("get_or_create", "handlers", "mail", "m2m_through", "many_to_many", "many_to_one"),
    *("middleware", "middleware_exceptions", "multiple_database", "one_to_one"),
    *("prefetch_related", "queries", "raw_query", "requests_tests", "responses"),
    *("select_for_update", "select_related", "servers", "sessions_tests", "signals"),
    *("template_backends", "template_tests", "test_client", "transaction_hooks", "transactions"),
    *("urlpatterns_reverse", "view_tests", "wsgi"),
)
CELERY = (
    *("app", "fixups", "utils/test_dispatcher.py", "backends/test_base.py", "events"),
    *("tasks/test_tasks.py", "tasks/test_trace.py", "tasks/test_context.py"),
    *("tasks/test_canvas.py", "tasks/test_chord.py", "tasks/test_result.py"),
    *("worker/test_request.py", "worker/test_strategy.py", "worker/test_consumer.py"),
    *("worker/test_control.py", "worker/test_state.py", "worker/test_revoke.py"),
)

# The stock instrumentor asks for the current application, which these forbid and listen for.
OF_THE_STOCK_INSTRUMENTOR = {
    f"t.unit.app.test_amqp_callback_publish.{name}[False-{refused}]"
    for name in ("test_unbounded_policy_warns_only_on_first_refusal",)
    for refused in (False, True)
}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def collector():
    with OtlpSink() as sink:
        yield sink


def _run_both(command, *, cwd: Path, folder: Path, collector: OtlpSink) -> tuple[str, str]:
    """Run a suite without and with the instrumentation, side by side; return what they say."""
    outputs = [folder / "without.log", folder / "with.log"]
    environment = {
        "PATH": str(BIN),
        "HOME": str(folder),
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    running = []
    for output, launcher in zip(outputs, [[], [BIN / "opentelemetry-instrument"]], strict=True):
        with output.open("w") as log:
            arguments = [part.replace("{mode}", output.stem) for part in command]
            running.append(
                subprocess.Popen(
                    [*launcher, BIN / "python", *arguments],
                    cwd=cwd,
                    env=environment,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            )
    for process in running:
        process.wait()
    without, with_ = (output.read_text(errors="replace") for output in outputs)
    return without, with_


def _django_results(output: str) -> dict:
    """Return what the runner counts, and the names of what failed."""
    (ran,) = re.findall(r"^Ran (\d+) tests", output, re.MULTILINE)
    (summary,) = re.findall(r"^(?:OK|FAILED) \((.*)\)$", output, re.MULTILINE)
    return {
        "ran": int(ran),
        "summary": summary,
        "failed": Counter(re.findall(r"^(?:FAIL|ERROR): .*$", output, re.MULTILINE)),
    }


def test_django(tmp_path, collector):
    """Django's own tests of what we patch have the same results, and no hook of ours fails."""
    tests = source_of("django") / "tests"
    without, with_ = _run_both(
        ["runtests.py", "--parallel", "1", *DJANGO],
        cwd=tests,
        folder=tmp_path,
        collector=collector,
    )

    expected = _django_results(without)
    assert _django_results(with_) == expected
    assert expected["ran"] > 5000
    assert "hotspan's hook" not in with_
    assert len(collector.spans("SELECT")) > 1000


def _celery_results(report: Path) -> dict[str, str]:
    """Return of each test how it ended."""
    results = {}
    for case in ET.parse(report).iter("testcase"):
        endings = [child.tag for child in case if child.tag in {"failure", "error", "skipped"}]
        results[f"{case.get('classname')}.{case.get('name')}"] = "+".join(endings) or "passed"
    return results


def test_celery(tmp_path, collector):
    """Celery's own tests of what we patch have the same results, and no hook of ours fails."""
    source = source_of("celery")
    collector.requests.clear()
    _run_both(
        [
            *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "celery.contrib.pytest"),
            *("-p", "no:xdist", "--timeout=120", "--log-file-level=WARNING"),
            *("--log-file", str(tmp_path / "{mode}.warnings")),
            *("--junitxml", str(tmp_path / "{mode}.xml")),
            *(f"t/unit/{part}" for part in CELERY),
        ],
        cwd=source,
        folder=tmp_path,
        collector=collector,
    )
    without = _celery_results(tmp_path / "without.xml")
    with_ = _celery_results(tmp_path / "with.xml")
    different = {name for name in without | with_ if without.get(name) != with_.get(name)}

    assert different - OF_THE_STOCK_INSTRUMENTOR == set()
    assert Counter(without.values())["passed"] > 1500
    assert "hotspan's hook" not in (tmp_path / "with.warnings").read_text()
    assert len(collector.spans()) > 100
