"""`hotspan check`: files in, findings and an exit code out."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from rules.entry_spans import EntrySpans

HOTSPAN = Path(sys.executable).with_name("hotspan")
YEAR_2004_NS = 1_083_000_000_000_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The same N+1 in every format, and what cannot be read."""
    directory = tmp_path_factory.mktemp("otlp")
    body = _n_plus_one().body()
    (directory / "orders.binpb").write_bytes(body)
    (directory / "orders.json").write_text(_json(body))
    (directory / "both.jsonl").write_text(f"{_json(body)}\n\n{_json(_n_plus_one().body())}\n")
    (directory / "old.binpb").write_bytes(_long_ago(body))
    (directory / "clean.binpb").write_bytes(EntrySpans().body())
    (directory / "broken.binpb").write_bytes(b"\xff\xff\xff")
    (directory / "broken.jsonl").write_text(f"{_json(body)}\n{{\n")
    (directory / "notes.txt").write_text("not OTLP")
    return directory


@pytest.fixture(scope="module")
def told_as_json(folder) -> subprocess.CompletedProcess[str]:
    return _check(folder, "orders.binpb", "--format", "json")


def test_tells_findings_as_json(told_as_json):
    """The JSON has what the design promises, and nothing else is on standard output."""
    [finding] = json.loads(told_as_json.stdout)["findings"]

    assert set(finding) == {
        *("rule", "severity", "confidence", "service", "entry", "entry_span_id", "trace_id"),
        *("fingerprint", "count", "wasted_ms", "evidence", "suggestion", "code"),
    }
    assert (
        finding["rule"],
        finding["severity"],
        finding["count"],
    ) == ("n_plus_one", "warning", 20)
    assert finding["code"] == {"file": "/app/shop/views.py", "line": 10, "function": "view"}


def test_fails_on_a_warning(told_as_json):
    """A finding as severe as --fail-on, by default a warning, is an exit code of 1."""
    assert told_as_json.returncode == 1


def test_never_fails_when_told_so(folder):
    """--fail-on never is for reports; a table is the default."""
    done = _check(folder, "orders.json", "--fail-on", "never")

    assert done.returncode == 0
    assert "N+1 queries in GET orders/" in done.stdout
    assert 'prefetch_related("items")' in done.stdout


def test_a_value_in_one_statement_makes_no_duplicates_of_others(tmp_path):
    """Of stock statements with parameters nobody knows whether they are the same."""
    entry = EntrySpans(enriched=False)
    entry.query("SELECT name FROM region WHERE code = '63'")
    for key in range(8):
        entry.query("SELECT name FROM region WHERE code = %s", key)
    (tmp_path / "regions.binpb").write_bytes(entry.body())
    done = _check(tmp_path, "regions.binpb", "--format", "json")

    assert [finding["rule"] for finding in json.loads(done.stdout)["findings"]] == ["n_plus_one"]


def test_reads_lines_and_old_files_together(folder):
    """Requests of any age and format are evaluated together; below --fail-on it succeeds."""
    files = ("both.jsonl", "old.binpb", "clean.binpb")
    done = _check(folder, *files, "--format", "json", "--fail-on", "critical")
    found = json.loads(done.stdout)["findings"]

    assert [finding["rule"] for finding in found] == ["n_plus_one"] * 3
    assert done.returncode == 0


def test_writes_sarif(folder):
    """SARIF 2.1.0: a rule for each rule, a result for each violation and place."""
    done = _check(folder, "both.jsonl", "--format", "sarif")
    log = json.loads(done.stdout)
    [run] = log["runs"]
    [result] = run["results"]

    assert log["version"] == "2.1.0"
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert (result["level"], result["occurrenceCount"]) == ("warning", 2)
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "file:///app/shop/views.py"},
        "region": {"startLine": 10},
    }
    assert result["partialFingerprints"]["hotspan/v1"].startswith("v1:")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("broken.binpb", "not an ExportTraceServiceRequest"),
        ("broken.jsonl", "line 2: "),
        ("notes.txt", "its suffix is none of .binpb"),
        ("missing.json", "No such file"),
    ],
)
def test_names_the_file_that_cannot_be_read(folder, name, reason):
    """A file that is not OTLP is an exit code of 2, and a message with its name and why."""
    done = _check(folder, "orders.binpb", name)

    assert (done.returncode, done.stdout) == (2, "")
    assert name in done.stderr
    assert reason in done.stderr


def _n_plus_one() -> EntrySpans:
    entry = EntrySpans()
    for order in range(20):
        entry.query(
            'SELECT "i"."id" FROM "i" WHERE "i"."order_id" = %s',
            order,
            relation="items",
            source=order,
        )
    return entry


def _json(body: bytes) -> str:
    message = json_format.MessageToDict(ExportTraceServiceRequest.FromString(body))
    for resource in message["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                _hex_ids(span)
    return json.dumps(message)


def _hex_ids(span: dict[str, object]) -> None:
    for name in ("traceId", "spanId", "parentSpanId"):
        if name in span:
            span[name] = base64.b64decode(str(span[name])).hex()


def _long_ago(body: bytes) -> bytes:
    request = ExportTraceServiceRequest.FromString(body)
    spans = [
        span
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    earlier_ns = min(span.start_time_unix_nano for span in spans) - YEAR_2004_NS
    for span in spans:
        span.start_time_unix_nano -= earlier_ns
        span.end_time_unix_nano -= earlier_ns
        span.trace_id = b"\x01" + span.trace_id[1:]
    return request.SerializeToString()


def test_rules_of_ones_own_run_too(folder, tmp_path):
    """A settings file names their folder."""
    (tmp_path / "any_entry.sql").write_text(_ANY_ENTRY)
    config = tmp_path / "hotspan.toml"
    config.write_text(f'rules_dir = "{tmp_path}"\n')

    told = _check(folder, "clean.binpb", "--format", "json", "--config", str(config))

    assert [each["rule"] for each in json.loads(told.stdout)["findings"]] == ["any_entry"]


_ANY_ENTRY = """/*
id = "any_entry"
title = "An entry"
finds = "Every entry."
why = "To show that it runs."
needs = []
opens_at_once = true
critical_hits_per_hour = 0
summary = "An entry"

[suggestions]
only = "Nothing."
*/
SELECT
    trace_id, entry_span_id, '' AS identity, 'info' AS severity, 'high' AS confidence,
    1 AS count, 0 AS wasted_ns, '' AS statement, map('a', 'b') AS details, [] AS missing,
    [entry_span_id] AS span_ids, 'only' AS suggestion,
    '' AS code_file, 0 AS code_line, '' AS code_function
FROM rule_entries
"""


def _check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HOTSPAN, "check", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
