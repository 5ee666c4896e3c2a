"""`hotspan backup` and `hotspan restore`, as people run them, on both kinds of store."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support import corpus
from support.collector import Collector

pytestmark = pytest.mark.slow

# What a store holds, told so that two can be compared.
_CONTENT = """
import json, sys
from hotspan_collector.settings import Settings
from hotspan_collector.store import open_store
store = open_store(Settings(store=sys.argv[1]))
tables = [row["name"] for row in store.rows(
    "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
    " AND name NOT IN ('schema_migrations', 'leases') ORDER BY name")]
print(json.dumps({
    table: list(store.rows(
        f"SELECT count() AS rows, toString(sum(cityHash64(*))) AS hash FROM {table} FINAL"
        if table not in ('spans', 'violation_actions', 'alert_outbox') else
        f"SELECT count() AS rows, toString(sum(cityHash64(*))) AS hash FROM {table}")[0].values())
    for table in tables
}))
"""


def hotspan(*arguments: object) -> subprocess.CompletedProcess:
    """Run a command in a process of its own."""
    return subprocess.run(
        [Path(sys.executable).with_name("hotspan"), *map(str, arguments)],
        env={name: value for name, value in os.environ.items() if "HOTSPAN" not in name},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def content(store: str) -> dict[str, list]:
    """Return rows and a hash of every table."""
    answer = subprocess.run(
        [sys.executable, "-c", _CONTENT, store], check=True, capture_output=True, text=True
    )
    return json.loads(answer.stdout.splitlines()[-1])


def _fill(collector: Collector) -> None:
    """Store recorded traces, let them be evaluated, and stop the collector."""
    collector.start()
    try:
        recorded = [each for name in corpus.scenarios() for each in corpus.scenario(name)]
        collector.send(b"".join(each.SerializeToString() for each in recorded))
        collector.wait_for(lambda: collector.api("violations")["total"] >= 5, timeout_s=60)
    finally:
        collector.stop()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The DSN of an embedded store with all that a collector makes; read only."""
    collector = Collector(tmp_path_factory.mktemp("filled"))
    _fill(collector)
    return f"chdb://{collector.data_dir}/store"


@pytest.fixture(scope="module")
def made(filled: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of it."""
    directory = tmp_path_factory.mktemp("backups") / "first"
    ran = hotspan("backup", directory, "--store", filled)
    assert ran.returncode == 0, ran.stderr
    return directory


def test_what_is_restored_is_what_was_backed_up(filled: str, made: Path, tmp_path: Path):
    """Every table, compared by its content."""
    store = f"chdb://{tmp_path}/store"
    ran = hotspan("restore", made, "--store", store, "--format", "json")

    before, after = content(filled), content(store)
    told = json.loads(ran.stdout)
    assert after == before
    assert before["spans"][0] > 200
    assert before["violations"][0] >= 5
    assert (told["directory"], told["rows"] >= before["spans"][0]) == (str(made), True)
    assert f"of {told['files']}: spans, " in ran.stderr


def test_an_embedded_store_moves_to_a_server_and_back(
    filled: str, made: Path, clickhouse_url: str, tmp_path: Path
):
    """A backup does not depend on the kind of store; a server's may be made while it is used."""
    into_server = hotspan("restore", made, "--store", clickhouse_url)
    of_server = hotspan("backup", tmp_path / "second", "--store", clickhouse_url)
    back = hotspan("restore", tmp_path / "second", "--data-dir", tmp_path / "data")

    assert [ran.returncode for ran in (into_server, of_server, back)] == [0, 0, 0]
    assert content(clickhouse_url) == content(f"chdb://{tmp_path}/data/store") == content(filled)


def test_a_backup_overwrites_nothing(filled: str, made: Path):
    """A directory that holds anything is refused."""
    ran = hotspan("backup", made, "--store", filled)

    assert ran.returncode == 1
    assert "holds files already. Name a directory that is new or empty" in ran.stderr


def test_a_store_that_holds_data_is_left_alone(filled: str, made: Path):
    """With what to give instead."""
    before = content(filled)
    ran = hotspan("restore", made, "--store", filled)

    assert ran.returncode == 1
    assert "The store holds data already" in ran.stderr
    assert "--data-dir" in ran.stderr
    assert content(filled) == before


@pytest.mark.parametrize(
    ("migrations", "told"),
    [
        (["0001_spans"], "is older"),
        (["9999_flux"], "has 9999_flux, which this version does not know"),
    ],
)
def test_a_backup_of_another_version_is_refused(made: Path, tmp_path: Path, migrations, told):
    """It says which version can restore it."""
    other = tmp_path / "other"
    other.mkdir()
    manifest = json.loads((made / "manifest.json").read_text())
    manifest |= {"migrations": migrations, "hotspan": "7.8.9", "files": []}
    (other / "manifest.json").write_text(json.dumps(manifest))

    ran = hotspan("restore", other, "--data-dir", tmp_path / "data")

    assert ran.returncode == 1
    assert f"The backup, of hotspan 7.8.9, {told}" in ran.stderr


def test_a_damaged_backup_is_refused_before_anything_is_written(made: Path, tmp_path: Path):
    """The file is named."""
    manifest = json.loads((made / "manifest.json").read_text())
    copy = tmp_path / "copy"
    for file in manifest["files"]:
        target = copy / file["name"]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((made / file["name"]).read_bytes())
    (copy / "manifest.json").write_text(json.dumps(manifest))
    damaged = copy / manifest["files"][-1]["name"]
    damaged.write_bytes(damaged.read_bytes()[:-1])

    ran = hotspan("restore", copy, "--data-dir", tmp_path / "data")

    assert ran.returncode == 1
    assert f"{damaged} is damaged" in ran.stderr
    assert set(content(f"chdb://{tmp_path}/data/store")["spans"]) == {0, "0"}


def test_a_store_in_use_is_refused(made: Path, tmp_path: Path):
    """The embedded store belongs to its collector, for both commands."""
    collector = Collector(tmp_path / "running")
    collector.start()
    try:
        ran = [
            hotspan("backup", tmp_path / "backup", "--data-dir", collector.data_dir),
            hotspan("restore", made, "--data-dir", collector.data_dir),
        ]
    finally:
        collector.stop()

    assert [each.returncode for each in ran] == [1, 1]
    assert all("belongs to another collector (process " in each.stderr for each in ran)


def test_a_server_that_a_collector_works_on_takes_no_restore(
    made: Path, tmp_path: Path, clickhouse_url: str
):
    """The one that evaluates is named."""
    collector = Collector(tmp_path / "running", store=clickhouse_url)
    collector.start()
    try:
        collector.wait_for(lambda: collector.api("status")["duties"][0]["here"])
        ran = hotspan("restore", made, "--store", clickhouse_url)
    finally:
        collector.stop()

    assert ran.returncode == 1
    assert "A collector uses the store (" in ran.stderr


def test_what_is_no_backup_is_told(tmp_path: Path):
    """A folder without a manifest: the backup was interrupted, or is none."""
    ran = hotspan("restore", tmp_path, "--data-dir", tmp_path / "data")

    assert ran.returncode == 1
    assert "is no whole backup" in ran.stderr
    assert "Traceback" not in ran.stderr
