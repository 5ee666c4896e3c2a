"""The configuration of a cluster that comes with hotspan, on two real ClickHouse servers."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from support.clickhouse_server import ClickhouseServer
from support.processes import free_port

CONFIG = Path(__file__).parents[2] / "deploy" / "clickhouse" / "cluster.xml"


def test_the_servers_know_each_other(
    start_clickhouse: Callable[..., ClickhouseServer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    """Each reads from both shards, with the shared secret."""
    ports = [free_port(), free_port()]
    monkeypatch.setenv("HOTSPAN_CLUSTER_SECRET", "a-secret")
    for number, port in enumerate(ports):
        monkeypatch.setenv(f"HOTSPAN_SHARD_{number + 1}_HOST", "127.0.0.1")
        monkeypatch.setenv(f"HOTSPAN_SHARD_{number + 1}_PORT", str(port))
        folder = tmp_path / f"clickhouse-{number}" / "config.d"
        folder.mkdir(parents=True)
        shutil.copy(CONFIG, folder)
    servers = [start_clickhouse(tcp_port=port) for port in ports]

    seen = [
        server.query("SELECT tcpPort() FROM clusterAllReplicas('hotspan', system.one) ORDER BY 1")
        for server in servers
    ]

    assert seen == ["".join(f"{port}\n" for port in sorted(ports))] * 2
