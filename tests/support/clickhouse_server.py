"""A real ClickHouse server for tests, without a container engine or a server package.

Its library's command line runs `clickhouse local`, and that engine serves ClickHouse's own HTTP
and native protocols once it is told to listen. Not there: users, ON CLUSTER, replication.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import httpx

from support.processes import Process, ProcessError, free_port

LIBRARY = Path(__file__).parents[2] / ".tools" / "clickhouse" / "libchdb.so"
CLUSTER = "hotspan"

_LISTEN = """\
SYSTEM START LISTEN HTTP;
SYSTEM START LISTEN TCP;
SELECT sleepEachRow(3) FROM system.numbers
SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0 FORMAT Null
"""

# Small caches: the defaults are made for a machine that does nothing else.
_CONFIG = """\
<clickhouse>
    <mark_cache_size>67108864</mark_cache_size>
    <uncompressed_cache_size>0</uncompressed_cache_size>
    <max_server_memory_usage>3221225472</max_server_memory_usage>
    <background_schedule_pool_size>8</background_schedule_pool_size>
    <remote_servers><{cluster}>{shards}</{cluster}></remote_servers>
</clickhouse>
"""


class ClickhouseServer:
    """One server with its data in a folder, which a restart keeps.

    Args:
        directory: For data, configuration and log.
        http_port, tcp_port: Free ones when not given; a restart keeps them.
        shard_ports: The tcp_port of every member of the cluster `hotspan`, one shard each.
    """

    def __init__(
        self,
        directory: Path,
        *,
        http_port: int | None = None,
        tcp_port: int | None = None,
        shard_ports: Sequence[int] = (),
    ) -> None:
        if not LIBRARY.exists():
            raise ProcessError(f"{LIBRARY} is missing; run 'make test-setup'")
        directory.mkdir(parents=True, exist_ok=True)
        self.http_port = http_port or free_port()
        self.tcp_port = tcp_port or free_port()
        config = directory / "config.xml"
        config.write_text(_config(shard_ports or [self.tcp_port]), encoding="utf-8")
        self.process = Process(
            [
                *(sys.executable, Path(__file__).with_name("clickhouse_process.py"), LIBRARY),
                *("--config-file", config, "--path", directory / "data", "--query", _LISTEN),
                *("--", "--listen_host=127.0.0.1"),
                *(f"--http_port={self.http_port}", f"--tcp_port={self.tcp_port}"),
            ],
            log_path=directory / "server.log",
            # It keeps compiled formats in a folder where it starts.
            cwd=directory,
        )

    def url(self, database: str = "") -> str:
        """Return the DSN of a database on this server."""
        return f"http://127.0.0.1:{self.http_port}/{database}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self.process.start()
        self.process.wait_for_url(self.url("ping"))

    def stop(self) -> None:
        """Take the server down. What it has acknowledged stays in its folder."""
        self.process.terminate()

    def kill(self) -> None:
        """Take the server down as a crash would."""
        self.process.kill()

    def restart(self) -> None:
        """Take the server down and up again, on the same ports and data."""
        self.stop()
        self.start()

    def query(self, sql: str) -> str:
        """Run one statement as a client of HTTP and return the answer's text."""
        return self.query_in("default", sql)

    def query_in(self, database: str, sql: str, *, timeout_s: float = 600) -> str:
        """Do the same with names of a database."""
        answer = httpx.post(
            self.url(),
            params={"database": database},
            content=sql,
            trust_env=False,
            timeout=timeout_s,
        )
        if answer.is_error:
            raise ProcessError(answer.text)
        return answer.text

    def create_database(self, name: str) -> str:
        """Make an empty database and return its DSN."""
        self.query(f"CREATE DATABASE {name} ENGINE = Atomic")
        return self.url(name)


def _config(shard_ports: Sequence[int]) -> str:
    shards = "".join(
        f"<shard><replica><host>127.0.0.1</host><port>{port}</port></replica></shard>"
        for port in shard_ports
    )
    return _CONFIG.format(cluster=CLUSTER, shards=shards)
